"""The compiled graphs of a model: many training or test steps in one call, around Keras' own steps."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.training.source import Block

EVALUATION_BATCH = 1024


class Graphs:
    """Traced once for a model, at the first call of each.

    Args:
        model: compiled.
        batch_size: rows a training step.
    """

    def __init__(self, model: keras.Model, batch_size: int) -> None:
        self.model = model
        self.batch_size = batch_size
        # Keras keeps autograph out of its steps as well; without it tracing takes half the time.
        # The inner function is optimized by itself, as `fit` has it, and so are its numbers `fit`'s.
        self._train_step = tf.function(self._one_train_step, autograph=False, reduce_retracing=True)
        self._train_steps = tf.function(self._many_train_steps, autograph=False, reduce_retracing=True)
        self._test_steps = tf.function(self._many_test_steps, autograph=False, reduce_retracing=True)
        self._forward = tf.function(self._answers, autograph=False, reduce_retracing=True)
        self._results = tf.function(self._metrics_and_check, autograph=False)
        self._reset = tf.function(model.reset_metrics, autograph=False)

    def build(self, block: Block) -> None:
        """Makes the variables of loss, metrics and optimizer, which must exist before the first graph."""
        # One eager step in inference mode does it many times faster than Keras' symbolic build.
        self.model.test_step((_rows(block.features, block.order), tf.gather(block.targets, block.order)))
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)

    def train(self, block: Block, first: int, last: int) -> None:
        """Training steps number `first` to below `last` of a block."""
        bounds = tf.constant(first, tf.int64), tf.constant(last, tf.int64)
        self._train_steps(block.features, block.targets, block.weights, block.order, *bounds)

    def test(self, block: Block) -> None:
        """Loss and metrics over a block, added to what the metrics hold."""
        self._test_steps(block.features, block.targets, block.order)

    def predict(self, block: Block) -> npt.NDArray[np.float32]:
        """The model's answers for a block in its order, shape (rows, units)."""
        parts = [
            self._forward(block.features, block.order[first : first + EVALUATION_BATCH]).numpy()
            for first in range(0, int(block.order.shape[0]), EVALUATION_BATCH)
        ]
        return np.concatenate(parts).astype(np.float32)

    def reset(self) -> None:
        """Empties the metrics."""
        self._reset()

    def results(self) -> tuple[dict[str, float], bool]:
        """The metrics so far, and whether every weight is finite."""
        metrics, finite = self._results()
        return {name: float(value) for name, value in metrics.items()}, bool(finite)

    def _one_train_step(self, *batch: Any) -> None:
        self.model.train_step(batch)

    def _many_train_steps(self, features: Any, targets: Any, weights: Any, order: Any, first: Any, last: Any) -> None:
        def body(step: Any) -> Any:
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            batch = (_rows(features, rows), tf.gather(targets, rows))
            self._train_step(*batch if weights is None else (*batch, tf.gather(weights, rows)))
            return step + 1

        tf.while_loop(lambda step: step < last, body, [first])

    def _many_test_steps(self, features: Any, targets: Any, order: Any) -> None:
        def body(first: Any) -> Any:
            rows = order[first : first + EVALUATION_BATCH]
            self.model.test_step((_rows(features, rows), tf.gather(targets, rows)))
            return first + EVALUATION_BATCH

        count = tf.shape(order, tf.int64)[0]
        tf.while_loop(lambda first: first < count, body, [tf.constant(0, tf.int64)])

    def _answers(self, features: Any, rows: Any) -> Any:
        return self.model(_rows(features, rows), training=False)

    def _metrics_and_check(self) -> Any:
        floats = [weight for weight in self.model.weights if keras.backend.is_float_dtype(weight.dtype)]
        finite = [tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(weight))) for weight in floats]
        return self.model.get_metrics_result(), tf.reduce_all(finite)


def _rows(features: Any, rows: Any) -> Any:
    return {name: tf.gather(values, rows) for name, values in features.items()}
