"""Those that train a workload once and say how long it took, for `benchmarks/peers.py`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from fresh import as_a_later_process, as_the_first_process
from numpy_loop import Network
from workloads import Workload

from dltrain.engine.engine import Engine
from dltrain.experiment.experiment import Experiment

Taken = dict[str, float]  # seconds, epoch, and the losses at the end
WORKER = Path(__file__).with_name("torch_worker.py")


class Ends(keras.callbacks.Callback):
    """When each epoch ended."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.times: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.times.append(time.perf_counter())
        self.last = {name: float(value) for name, value in logs.items()}

    def taken(self, began: float) -> Taken:
        """The training's seconds since `began` and the last losses."""
        return since(began, self.times) | {key: self.last[key] for key in ("loss", "val_loss")}


def since(began: float, ends: list[float]) -> Taken:
    """Seconds of all epochs and, the median, of one after the first; `ends` has two at least."""
    return {"seconds": ends[-1] - began, "epoch": float(np.median(np.diff(ends)))}


class Contenders:
    """Functions that train a workload once, by name.

    Args:
        assembled: gives the experiment with fresh weights.
        workload: the same for others.
        torch_python: an interpreter that has PyTorch, or None.
        folder: for the arrays that PyTorch reads.
    """

    def __init__(
        self, assembled: Callable[[], Experiment], workload: Workload, torch_python: str | None, folder: Path
    ) -> None:
        self.assembled, self.workload = assembled, workload
        self.left_out: dict[str, str] = {}
        self.graphs_are_kept = False
        self.worker: subprocess.Popen[str] | None = None
        self.named: dict[str, Callable[[], Taken]] = {
            "dltrain": self.engine,
            "dltrain, first": self.engine_first,
            "Keras fit": self.fit,
            "Keras fit, tuned": lambda: self.fit(tuned=True),
            "bare step": self.step,
        }
        if workload.dense:
            self.named |= {"scikit-learn MLP": self.scikit_learn, "NumPy loop": self.numpy}
        else:
            self.left_out |= dict.fromkeys(("scikit-learn MLP", "NumPy loop"), "it has dense layers alone")
        if torch_python:
            self.data = folder / "arrays.npz"
            train, validation = workload.parts["train"], workload.parts["validation"]
            np.savez(self.data, x=train[0], y=train[1], validation_x=validation[0], validation_y=validation[1])
            pipe = subprocess.PIPE
            self.worker = subprocess.Popen([torch_python, str(WORKER)], stdin=pipe, stdout=pipe, text=True)
            self.version = self._answer()["version"]
            self.named["PyTorch eager"] = self.torch
            self.named["PyTorch compiled"] = lambda: self.torch(compiled=True)
        else:
            self.left_out |= dict.fromkeys(("PyTorch eager", "PyTorch compiled"), "no --torch-python was given")

    def engine(self) -> Taken:
        """As in any process but the first, which has kept the graphs."""
        if not self.graphs_are_kept:
            self._engine(2)
            self.graphs_are_kept = True
        return self._engine(self.workload.epochs)

    def engine_first(self) -> Taken:
        """With all graphs traced, as the others trace and compile each time."""
        with as_the_first_process():
            return self._engine(self.workload.epochs)

    def _engine(self, epochs: int) -> Taken:
        made, ends = self.assembled(), Ends()
        sources = made.data.source("train"), made.data.source("validation")
        as_a_later_process()
        began = time.perf_counter()
        engine = Engine(made.network, batch_size=made.batch_size, shuffle=True, seed=self.workload.seed)
        engine.train(*sources, epochs=epochs, callbacks=[ends])
        return ends.taken(began)

    def fit(self, tuned: bool = False) -> Taken:
        """Keras' `fit`; tuned: an epoch's steps in one execution, and large batches of validation."""
        made, ends = self.assembled(), Ends()
        network, (x, y), validation = (
            made.network,
            *((made.data.features(part), made.data.truth(part).column) for part in ("train", "validation")),
        )
        options: dict[str, Any] = {}
        if tuned:
            steps = -(-len(y) // made.batch_size)
            metrics = [metric for each in network.metrics[1:] for metric in getattr(each, "metrics", [each])]
            network.compile(
                network.optimizer, network.loss, metrics=metrics, steps_per_execution=steps, jit_compile=False
            )
            options["validation_batch_size"] = 1024
        epochs, batch = self.workload.epochs, made.batch_size
        began = time.perf_counter()
        network.fit(
            x, y, validation_data=validation, batch_size=batch, epochs=epochs, callbacks=[ends], verbose=0, **options
        )
        return ends.taken(began)

    def step(self) -> Taken:
        """Keras' own steps, compiled, in the plainest loop: what a training takes where nothing is done beside."""
        made = self.assembled()
        network, batch, random = made.network, made.batch_size, np.random.default_rng(self.workload.seed)
        (name,) = made.data.features("train")
        (x, y), (validation_x, validation_y) = (
            (tf.constant(made.data.features(part)[name]), tf.constant(made.data.truth(part).column))
            for part in ("train", "validation")
        )

        def tested(first: Any) -> Any:
            return network.test_step(({name: validation_x[first : first + 1024]}, validation_y[first : first + 1024]))

        def trained(rows: Any) -> Any:
            return network.train_step(({name: tf.gather(x, rows)}, tf.gather(y, rows)))

        began, ends = time.perf_counter(), []
        train, test = (tf.function(each, autograph=False, reduce_retracing=True) for each in (trained, tested))
        network.optimizer.build(network.trainable_variables)
        tested(len(validation_y) - 1)  # makes the variables of the metrics
        for _ in range(self.workload.epochs):
            order = tf.constant(random.permutation(len(y)))
            network.reset_metrics()
            for first in range(0, len(y), batch):
                train(order[first : first + batch])
            network.reset_metrics()
            for first in range(0, len(validation_y), 1024):
                logs = test(tf.constant(first))
            ends.append(time.perf_counter())
        return since(began, ends) | {"val_loss": float(logs["loss"])}

    def scikit_learn(self) -> Taken:
        """A network of the same width, with neither normalization nor dropout."""
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        work = self.workload
        (x, y), (validation_x, _) = work.parts["train"], work.parts["validation"]
        units = [facts["units"] for kind, facts in work.layers if kind == "Dense"][:-1]
        squares = work.loss == "squares"
        options = {"hidden_layer_sizes": units, "batch_size": work.batch, "learning_rate_init": work.learning_rate}
        model = (MLPRegressor if squares else MLPClassifier)(**options, alpha=0.0, random_state=work.seed)
        began = time.perf_counter()
        ends = []
        for _ in range(work.epochs):
            model.partial_fit(x, y[:, 0], **({} if squares else {"classes": np.unique(y)}))
            model.predict(validation_x) if squares else model.predict_proba(validation_x)
            ends.append(time.perf_counter())
        return since(began, ends) | {"loss": float(model.loss_)}

    def numpy(self) -> Taken:
        """`numpy_loop.py`: about what the arithmetic takes."""
        work = self.workload
        (x, y), validation = work.parts["train"], work.parts["validation"]
        random = np.random.default_rng(work.seed)
        began = time.perf_counter()
        network = Network(work.layers, x.shape[1], work.loss, work.learning_rate, work.seed)
        ends = []
        for _ in range(work.epochs):
            order = random.permutation(len(x))
            batches = (order[first : first + work.batch] for first in range(0, len(x), work.batch))
            losses = [network.train_step(x[rows], y[rows]) * len(rows) for rows in batches]
            found = network.loss_of(*validation)
            ends.append(time.perf_counter())
        return since(began, ends) | {"loss": sum(losses) / len(x), "val_loss": found}

    def torch(self, compiled: bool = False) -> Taken:
        """`torch_worker.py`, in a process of its own that stays; it may answer with `failed` and the reason."""
        assert self.worker is not None
        assert self.worker.stdin is not None
        work = self.workload
        asked = {name: getattr(work, name) for name in ("layers", "loss", "learning_rate", "batch", "epochs", "seed")}
        asked |= {"data": str(self.data), "width": work.parts["train"][0].shape[-1], "compiled": compiled}
        # One thread serves small layers best, all of them large ones.
        threads = int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0)) or (1 if work.dense else os.cpu_count())
        asked |= {"image": work.image, "threads": threads}
        self.worker.stdin.write(json.dumps(asked) + "\n")
        self.worker.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.worker is not None
        assert self.worker.stdout is not None
        return dict(json.loads(self.worker.stdout.readline() or '{"failed": "the process ended"}'))

    def close(self) -> None:
        """Ends PyTorch's process, if there is one."""
        if self.worker and self.worker.stdin:
            self.worker.stdin.close()
            self.worker.wait()
