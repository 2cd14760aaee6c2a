"""One training step inside a larger graph: Keras' own `train_step` without what need not be done at every step.

The numbers stay those of `fit`: operations run in another order only where none of them waits for another, and metrics
are brought up to date later only where their sums are whole numbers.
"""

from __future__ import annotations

import contextlib
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.eager import context

from dltrain.training.flat_update import FlatUpdate

# Metrics that count rows; float32 adds whole numbers exactly, in whatever portions they come.
COUNTING = ("AUC", "BinaryAccuracy", "SparseCategoricalAccuracy", "SideAccuracy", "Precision", "Recall")


class TrainStep:
    """Call it with the tensors of a batch while a graph is traced.

    Args:
        model: compiled and built.
        update: takes the optimizer's place, if there is one.

    Attributes:
        counts_later: whether a step gives its answers instead of updating the metrics; `count` does that for many.
    """

    def __init__(self, model: keras.Model, update: FlatUpdate | None = None) -> None:
        self.model = model
        self._update = update
        self.counts_later = _counts_alone(model)
        # A function of its own is optimized by itself, as `fit` has it, and so are its numbers `fit`'s.
        # Keras keeps autograph out of its steps as well; without it tracing takes half the time.
        self._step = tf.function(self._train_step, autograph=False, reduce_retracing=True)

    def __call__(self, *batch: Any) -> Any:
        """One step on features, targets and, where there are any, weights; gives the answers if it counts later."""
        with _executor(self._step.get_concrete_function(*batch).graph):
            return self._step(*batch)

    def count(self, targets: Any, answers: Any) -> None:
        """Updates the metrics with the targets and answers of many steps."""
        self.model.compute_metrics(None, targets, answers)

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


def _counts_alone(model: keras.Model) -> bool:
    """Whether the sums of all metrics are whole numbers; class and sample weights are no part of them in Keras."""
    own = any(
        getattr(type(model), name) is not getattr(keras.Model, name) for name in ("train_step", "compute_metrics")
    )
    metrics = [metric for each in model.metrics[1:] for metric in getattr(each, "metrics", [each])]
    return bool(metrics) and not own and all(type(metric).__name__ in COUNTING for metric in metrics)


def _executor(graph: tf.Graph) -> Any:
    """Has the operations of a graph run one after the other, without a hand-over from thread to thread for each.

    A function that calls another one in this way could wait for it for ever, so only a graph without calls is run
    so, and only without a GPU, where operations wait for copies.
    """
    calls = any(
        attribute.HasField("func") or attribute.list.func
        for operation in graph.get_operations()
        for attribute in operation.node_def.attr.values()
    )
    parallel = calls or tf.config.list_physical_devices("GPU")
    return context.function_executor_type("" if parallel else "SINGLE_THREADED_EXECUTOR")
