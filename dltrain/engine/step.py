"""One training step inside a larger graph: Keras' own `train_step` without what need not be done at every step.

The numbers stay those of `fit`: operations run in another order only where none of them waits for another, and metrics
are brought up to date later only where their sums are whole numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from dltrain.base.errors import RunError
from dltrain.config.metric_traits import traits_of
from dltrain.engine.distribution import dense_gradients, on_replicas, share
from dltrain.engine.executor import called, executor
from dltrain.engine.updates import Update
from dltrain.internals import fast_path
from dltrain.internals.tensorflow_graphs import executed_by


class TrainStep:
    """Call it with the tensors of a batch while a graph is traced.

    Args:
        model: compiled and built.
        update: takes the optimizer's place, if there is one.
        compiled: whether XLA compiles the whole step, not on replicas.

    Attributes:
        counts_later: whether a step gives its answers instead of updating the metrics.
    """

    def __init__(self, model: keras.Model, update: Update | None = None, *, compiled: bool = False) -> None:
        self.model = model
        self._update = update
        # Replicas count what each has seen, and are asked for the sum at the end.
        self.counts_later = _counts_alone(model) and not tf.distribute.has_strategy()
        if tf.distribute.has_strategy():
            self._step: Callable[..., Any] = self._on_replicas
        elif compiled:
            self._step = tf.function(self._train_step, autograph=False, jit_compile=True)
        else:
            # A function of its own is optimized by itself, as `fit` has it, and so are its numbers `fit`'s.
            self._step = in_turn(self._train_step)

    def __call__(self, *batch: Any) -> Any:
        """One step on features, targets and, where there are any, weights; gives the answers if it counts later."""
        return self._step(*batch)

    def _on_replicas(self, *batch: Any) -> Any:
        with dense_gradients(self.model.optimizer):
            return on_replicas(lambda: self._train_step(*tf.nest.map_structure(share, batch)))

    def _train_step(self, *batch: Any) -> Any:
        with contextlib.nullcontext() if self._update is None else self._update.in_place():
            return self._step_of_keras(*batch)

    def _step_of_keras(self, *batch: Any) -> Any:
        if not self.counts_later:
            self.model.train_step(batch)
            return None
        self.model.compute_metrics = lambda x, y, y_pred, sample_weight=None: y_pred  # what `train_step` returns
        try:
            return self.model.train_step(batch)
        finally:
            del self.model.compute_metrics


def not_compiled(error: tf.errors.OpError) -> RunError:
    """The error of a step that XLA was asked to compile.

    Args:
        error: TensorFlow's.
    """
    lines = [line.strip() for line in error.message.splitlines()]
    # The first ones may tell no more than that something failed, and where in the graph.
    reasons = [line for line in lines if line and not line.startswith(("Detected at", "<", "[[")) and line[-1] != ":"]
    reason = (reasons or lines)[0].rstrip(".")
    instead = ", or trainer.deterministic=false" if "determinis" in reason else ""
    return RunError(
        f"trainer.jit_compile=true: XLA does not compile a training step of this network ({reason}). "
        f"Expected auto or false{instead}."
    )


def _counts_alone(model: keras.Model) -> bool:
    """Whether all metrics add whole numbers, which float32 adds exactly in whatever portions they come.

    Class and sample weights are no part of metrics in Keras.
    """
    own = any(
        getattr(type(model), name) is not getattr(keras.Model, name) for name in ("train_step", "compute_metrics")
    )
    metrics = [metric for each in model.metrics[1:] for metric in getattr(each, "metrics", [each])]
    return bool(metrics) and not own and all(traits_of(type(metric)).whole_sums for metric in metrics)


def in_turn(function: Callable[..., Any]) -> Callable[..., Any]:
    """A graph within a graph, whose operations run one after the other where they can."""
    # Keras keeps autograph out of its steps as well; without it tracing takes half the time.
    traced = tf.function(function, autograph=False, reduce_retracing=True)

    if not fast_path.is_whole():
        return traced  # type: ignore[no-any-return]

    def call(*arguments: Any) -> Any:
        calls = any(called(traced.get_concrete_function(*arguments).function_def))
        with executed_by(executor(calls=calls)):
            return traced(*arguments)

    return call
