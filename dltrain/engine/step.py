"""Traces one training step in a larger graph: Keras' `train_step` without what is not needed at every step.

The numbers are those of `fit`: operations run in another order only if they are independent, and metrics are updated
later only if their sums are whole numbers.
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
from dltrain.engine.softmax import plain_softmax
from dltrain.engine.updates import Update
from dltrain.internals import fast_path
from dltrain.internals.keras_training import given_metrics
from dltrain.internals.tensorflow_graphs import executed_by


class TrainStep:
    """Runs one step on the tensors of a batch while a graph is traced.

    `model` is compiled and built; `update` replaces the optimizer's update. If `compiled`, XLA compiles the whole step,
    but not on replicas.

    Attributes:
        counts_later: Whether a step returns its predictions instead of updating the metrics.
    """

    def __init__(self, model: keras.Model, update: Update | None = None, *, compiled: bool = False) -> None:
        self.model = model
        self._update = update
        # Replicas update the metrics at each step, and their sums are added at the end.
        self.counts_later = _counts_alone(model) and not tf.distribute.has_strategy()
        if tf.distribute.has_strategy():
            self._step: Callable[..., Any] = self._on_replicas
        elif compiled:
            self._step = tf.function(self._train_step, autograph=False, jit_compile=True)
        else:
            # TensorFlow optimizes a separate function alone, as in `fit`, so that the numbers are the same.
            self._step = in_turn(self._train_step)

    def __call__(self, *batch: Any) -> Any:
        """Runs one step on features, targets and, if there are any, weights; returns predictions if it counts later."""
        return self._step(*batch)

    def _on_replicas(self, *batch: Any) -> Any:
        with dense_gradients(self.model.optimizer):
            return on_replicas(lambda: self._train_step(*tf.nest.map_structure(share, batch)))

    def _train_step(self, *batch: Any) -> Any:
        with plain_softmax(self.model), contextlib.nullcontext() if self._update is None else self._update.in_place():
            return self._step_of_keras(*batch)

    def _step_of_keras(self, *batch: Any) -> Any:
        if not self.counts_later:
            train_step(self.model, batch)
            return None
        self.model.compute_metrics = lambda x, y, y_pred, sample_weight=None: y_pred  # what `train_step` returns
        try:
            return train_step(self.model, batch)
        finally:
            del self.model.compute_metrics


def train_step(model: keras.Model, batch: tuple[Any, ...]) -> Any:
    """Runs Keras' own step on features, targets and, if there are any, the weights of the rows.

    Layers that add a loss of each row, which have an attribute `row_weights`, get the weights too.
    """
    weighing = [layer for layer in model.layers if hasattr(layer, "row_weights")]
    for layer in weighing:
        layer.row_weights = batch[2] if len(batch) > 2 else None
    try:
        return model.train_step(batch)
    finally:
        for layer in weighing:
            layer.row_weights = None


def not_compiled(error: tf.errors.OpError) -> RunError:
    """Returns the error of a step that XLA could not compile."""
    lines = [line.strip() for line in error.message.splitlines()]
    # The first lines may only tell that something failed, and where in the graph.
    reasons = [line for line in lines if line and not line.startswith(("Detected at", "<", "[[")) and line[-1] != ":"]
    reason = (reasons or lines)[0].rstrip(".")
    instead = ", or trainer.deterministic=false" if "determinis" in reason else ""
    return RunError(
        f"trainer.jit_compile=true: XLA does not compile a training step of this network ({reason}). "
        f"Expected auto or false{instead}."
    )


def _counts_alone(model: keras.Model) -> bool:
    """Returns whether all metrics add whole numbers, which float32 adds exactly in any order.

    Metrics that are not weighted ignore class and sample weights. Which are weighted cannot be told without the fast
    path, and then all are taken to be.
    """
    if not fast_path.is_whole():
        return False
    own = any(
        getattr(type(model), name) is not getattr(keras.Model, name) for name in ("train_step", "compute_metrics")
    )
    metrics = [metric for each in model.metrics[1:] for metric in getattr(each, "metrics", [each])]
    weighted = given_metrics(model)[1]
    return bool(metrics) and not own and not weighted and all(traits_of(type(metric)).whole_sums for metric in metrics)


def in_turn(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a function a graph within a graph, whose operations run one after the other if they can."""
    # Keras' own steps have no autograph either; without it tracing takes half the time.
    traced = tf.function(function, autograph=False, reduce_retracing=True)

    if not fast_path.is_whole():
        return traced  # type: ignore[no-any-return]

    def call(*arguments: Any) -> Any:
        calls = any(called(traced.get_concrete_function(*arguments).function_def))
        with executed_by(executor(calls=calls)):
            return traced(*arguments)

    return call
