"""The compiled graphs of a model: many training or test steps in one call, around Keras' own steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.training.flat_update import FlatUpdate, flat_update
from dltrain.training.source import Block
from dltrain.training.step import TrainStep
from dltrain.training.traces import Traces, traces_of

Augment = Callable[[dict[str, Any], Any, Any], tuple[dict[str, Any], Any]]

EVALUATION_BATCH = 1024
EVALUATION_NUMBERS = 2**20  # inputs of a batch at most; a network makes many times as many of them


@dataclass(frozen=True)
class Results:
    """Where the metrics stand after a graph.

    Attributes:
        tensors: scalars by metric.
        finite: whether every weight is, after training.
    """

    tensors: Mapping[str, Any]
    finite: Any = True

    def logs(self) -> dict[str, float]:
        """The metrics as numbers."""
        return {name: float(value) for name, value in self.tensors.items()}


class Graphs:
    """Traced once for all models of the same architecture, at the first call of each.

    Args:
        model: compiled.
        batch_size: rows a training step.
        augmentation: from features, weights and number of a training batch to features and weights, or None.
    """

    def __init__(self, model: keras.Model, batch_size: int, augmentation: Augment | None = None) -> None:
        self.model = model
        self.augmentation = augmentation
        self.batch_size = batch_size
        width = max(math.prod(tensor.shape[1:]) for tensor in model.inputs)
        self.evaluation_batch = min(EVALUATION_BATCH, max(1, EVALUATION_NUMBERS // width))
        self._update: FlatUpdate | None = None
        self._training: Traces | None = None
        self._others: Traces | None = None
        self._calls: dict[tuple[str, bool], Callable[..., Any]] = {}

    @property
    def built(self) -> bool:
        """Whether the variables exist."""
        return self._training is not None

    def build(self, block: Block) -> None:
        """Makes the variables of loss, metrics and optimizer, which must exist before the first graph."""
        # One eager step in inference mode does it many times faster than Keras' symbolic build.
        self.model.test_step((_rows(block.features, block.order), tf.gather(block.targets, block.order)))
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._update = flat_update(self.model)
        own = self.augmentation is not None  # of which the architecture tells nothing
        train = {"train": self._many_train_steps}
        beside = self._beside()
        self._training = (
            Traces(self.model, train, beside) if own else traces_of(self.model, self.batch_size, train, beside)
        )
        self._others = traces_of(self.model, None, self._functions())

    def train(self, block: Block, first: int, last: int, *, afresh: bool) -> Results:
        """Training steps number `first` to below `last` of a block; `afresh` empties the metrics before."""
        bounds = tf.constant(first, tf.int64), tf.constant(last, tf.int64)
        weights = () if block.weights is None else block.weights
        return Results(
            *self._call("train", block.features, block.targets, weights, block.order, *bounds, tf.constant(afresh))
        )

    def test(self, block: Block, *, afresh: bool) -> Results:
        """Loss and metrics over a block, added to what the metrics hold unless `afresh` empties them before."""
        return Results(*self._call("test", block.features, block.targets, block.order, tf.constant(afresh)))

    def predict(self, block: Block) -> npt.NDArray[np.float32]:
        """The model's answers for a block in its order, shape (rows, units)."""
        parts = [
            self._call("predict", block.features, block.order[first : first + self.evaluation_batch]).numpy()
            for first in range(0, int(block.order.shape[0]), self.evaluation_batch)
        ]
        return np.concatenate(parts).astype(np.float32)

    def copies(self) -> Sequence[Any]:
        """A copy of the weights."""
        return cast("Sequence[Any]", self._call("copies"))

    def gradient_norm(self, block: Block) -> float:
        """The norm of all gradients together on the first batch of a block, in inference mode."""
        rows = block.order[: self.batch_size]
        features, targets = _rows(block.features, rows), tf.gather(block.targets, rows)
        weights = None if block.weights is None else tf.gather(block.weights, rows)
        with tf.GradientTape() as tape:
            answers = self.model(features, training=False)
            loss = self.model.compute_loss(features, targets, answers, weights, training=False)
        gradients = tape.gradient(loss, [weight.value for weight in self.model.trainable_weights])
        return float(tf.linalg.global_norm([gradient for gradient in gradients if gradient is not None]))

    def _functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "test": self._many_test_steps,
            "predict": self._answers,
            "copies": lambda: [tf.identity(weight) for weight in self.model.weights],
        }

    def _call(self, name: str, *arguments: Any) -> Any:
        key = name, () in arguments  # without weights it is another graph
        if key not in self._calls:
            traces, beside = (self._training, self._beside()) if name == "train" else (self._others, [])
            if traces is None:
                raise RuntimeError("Graphs.build comes first.")
            found = traces.function(name, arguments, self.model, beside) or self._own(name, arguments)
            self._calls[key] = found
        return self._calls[key](*arguments)

    def _own(self, name: str, arguments: Sequence[Any]) -> Callable[..., Any]:
        """A graph that no other model shares."""
        functions = {"train": self._many_train_steps, **self._functions()}
        found = Traces(self.model, functions).function(name, arguments, self.model)
        return cast("Callable[..., Any]", found)

    def _beside(self) -> list[keras.Variable]:
        """The variables that training uses beside the model's."""
        vectors = [] if self._update is None else self._update.variables
        return [*self.model.optimizer.variables, *vectors]

    def _many_train_steps(
        self, features: Any, targets: Any, weights: Any, order: Any, first: Any, last: Any, afresh: Any
    ) -> Any:
        tf.cond(afresh, self.model.reset_metrics, lambda: None)
        train_step = TrainStep(self.model, self._update)
        if self._update is not None:
            self._update.begin()

        def body(step: Any, answers: Any) -> Any:
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            inputs, labels = _rows(features, rows), tf.gather(targets, rows)
            counts = None if isinstance(weights, tuple) else tf.gather(weights, rows)
            if self.augmentation is not None:
                inputs, counts = self.augmentation(inputs, counts, self.model.optimizer.iterations)
            answer = train_step(inputs, labels, *(() if counts is None else (counts,)))
            return step + 1, answers.write(
                tf.cast(step - first, tf.int32), answer
            ) if train_step.counts_later else answers

        output = self.model.output
        shape = (None, *output.shape[1:])
        kept = tf.TensorArray(output.dtype, 0, dynamic_size=True, infer_shape=False, element_shape=shape)
        _, kept = tf.while_loop(lambda step, _: step < last, body, [first, kept])
        if train_step.counts_later:
            rows = order[first * self.batch_size : last * self.batch_size]
            train_step.count(tf.gather(targets, rows), kept.concat())
        if self._update is not None:
            self._update.end()
        floats = [weight for weight in self.model.weights if keras.backend.is_float_dtype(weight.dtype)]
        finite = [tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(weight))) for weight in floats]
        return self.model.get_metrics_result(), tf.reduce_all(finite)

    def _many_test_steps(self, features: Any, targets: Any, order: Any, afresh: Any) -> Any:
        tf.cond(afresh, self.model.reset_metrics, lambda: None)

        def body(first: Any) -> Any:
            rows = order[first : first + self.evaluation_batch]
            self.model.test_step((_rows(features, rows), tf.gather(targets, rows)))
            return first + self.evaluation_batch

        count = tf.shape(order, tf.int64)[0]
        tf.while_loop(lambda first: first < count, body, [tf.constant(0, tf.int64)])
        return (self.model.get_metrics_result(),)

    def _answers(self, features: Any, rows: Any) -> Any:
        return self.model(_rows(features, rows), training=False)


def _rows(features: Any, rows: Any) -> Any:
    return {name: tf.gather(values, rows) for name, values in features.items()}
