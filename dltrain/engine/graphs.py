"""Compiles many training or test steps of a model into one graph, around Keras' own steps."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.engine.distribution import on_replicas, share
from dltrain.engine.graph_proof import step_of
from dltrain.engine.mixed_penalties import mix_penalties
from dltrain.engine.padding import ignores_padding, without_padding
from dltrain.engine.scheduled_regularization import scheduled
from dltrain.engine.shared_graphs import SharedGraphs, graphs_of
from dltrain.engine.softmax import plain_softmax
from dltrain.engine.step import TrainStep, in_turn, not_compiled
from dltrain.engine.updates import FusedUpdate, Update, flat_update, fused_update
from dltrain.internals import fast_path
from dltrain.internals.keras_training import build_loss_and_metrics
from dltrain.preprocessing.rows import Block, gather

Augment = Callable[[dict[str, Any], Any, Any], tuple[dict[str, Any], Any]]

EVALUATION_BATCH = 2048
EVALUATION_NUMBERS = 2**20  # most inputs of a batch, of which a network makes many times as many numbers


@dataclass(frozen=True)
class EpochResults:
    """The metrics after a graph."""

    tensors: Mapping[str, Any]  # scalars by metric
    finite: Any = True  # whether every weight is, after training
    before: Sequence[Any] = ()  # the weights from before the training

    def logs(self) -> dict[str, float]:
        """Returns the metrics as numbers."""
        return {name: float(value) for name, value in self.tensors.items()}


class Graphs:
    """The graphs of a compiled model, traced at the first call and shared with models of the same architecture.

    `augmentation` maps features, weights and number of a training batch to features and weights. XLA compiles the
    training step if `jit_compile`, and with auto only the optimizer's update of large weights.
    """

    def __init__(
        self,
        model: keras.Model,
        batch_size: int,
        augmentation: Augment | None = None,
        jit_compile: bool | Literal["auto"] = "auto",
    ) -> None:
        self.model = model
        self.augmentation = augmentation
        self.batch_size = batch_size
        self.jit_compile = jit_compile
        width = max(math.prod(tensor.shape[1:]) for tensor in model.inputs)
        self.evaluation_batch = min(EVALUATION_BATCH, max(1, EVALUATION_NUMBERS // width))
        self._update: Update | None = None
        self._padded: Sequence[str] = ()
        self._training: SharedGraphs | None = None
        self._others: SharedGraphs | None = None
        self._calls: dict[tuple[str, int, bool], Callable[..., Any]] = {}

    @property
    def built(self) -> bool:
        """Whether the variables exist."""
        return self._training is not None

    def build(self, block: Block, steps: int = 0) -> None:
        """Creates the variables of loss, metrics and optimizer, which must exist before the first graph.

        `block` holds any rows; `steps` is the most that the model will train.
        """
        self._build_loss_and_metrics(gather(block.features, block.order), tf.gather(block.targets, block.order))
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        whole = fast_path.is_whole()
        if whole and self.jit_compile is not True:
            self._update = (fused_update(self.model) if self.jit_compile else None) or flat_update(self.model)
        # XLA would compile again for each length.
        if whole and self.jit_compile is not True and not isinstance(self._update, FusedUpdate):
            self._padded = ignores_padding(self.model)
        own = self.augmentation is not None  # the architecture does not contain it
        if whole and not own:
            mix_penalties(self.model, steps)
        train = {"train": self._many_train_steps}
        beside = self._beside()
        self._training = (
            SharedGraphs(self.model, train, beside)
            if own
            else graphs_of(self.model, self.batch_size, train, beside, compiled=self.jit_compile)
        )
        self._others = graphs_of(self.model, None, self._functions())

    def train(self, block: Block, first: int, last: int, *, empties: bool = False) -> EpochResults:
        """Runs the training steps `first` to below `last` (from 0) of a block; `empties` resets the metrics before.

        Raises:
            RunError: If XLA cannot compile a step.
        """
        steps = _step(first), _step(last), _flag(empties)
        weights = () if block.weights is None else block.weights
        try:
            return EpochResults(*self._call("train", block.features, block.targets, weights, block.order, *steps))
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if self.jit_compile is True:
                raise not_compiled(error) from error
            raise

    def test(self, block: Block) -> EpochResults:
        """Computes loss and metrics over a block, added to the state of the metrics."""
        for rows in self._batches(block):
            results = self._call("test", block.features, block.targets, rows, *_weights(block))
        return EpochResults(results)

    def test_alone(self, block: Block) -> EpochResults:
        """Computes loss and metrics over a block of at most one evaluation batch alone, in one call."""
        return EpochResults(self._call("test_alone", block.features, block.targets, block.order, *_weights(block)))

    def predict(self, block: Block) -> npt.NDArray[np.float32]:
        """Returns the predictions for a block in its order, shape (rows, units)."""
        parts = [self._call("predict", block.features, rows).numpy() for rows in self._batches(block)]
        return np.concatenate(parts).astype(np.float32)

    def reset(self) -> None:
        """Resets the metrics."""
        self._call("reset")

    def _build_loss_and_metrics(self, features: Any, targets: Any) -> None:
        keras_own = type(self.model).__module__.startswith("keras.")
        if tf.distribute.has_strategy() or not keras_own or not fast_path.is_whole():
            # An eager step in inference mode builds them many times faster than Keras' symbolic build.
            on_replicas(lambda: self.model.test_step((features, targets)))
            return
        # Only the shape of the predictions is needed, and a step takes as long as ten epochs of a small network.
        answers = tf.zeros((len(targets), *self.model.output.shape[1:]), self.model.output.dtype)
        build_loss_and_metrics(self.model, targets, answers)

    def _functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "test": self._test_step,
            "test_alone": self._test_alone,
            "predict": self._answers,
            "reset": self.model.reset_metrics,
        }

    def _call(self, name: str, *arguments: Any) -> Any:
        # Without weights it is another graph. Comparing a tensor with () would create an operation.
        key = name, len(arguments), any(isinstance(argument, tuple) for argument in arguments)
        if key not in self._calls:
            graphs, beside = (self._training, self._beside()) if name == "train" else (self._others, [])
            if graphs is None:
                raise RuntimeError("Graphs.build comes first.")
            compiled = name == "train" and self.jit_compile is True
            step = functools.partial(step_of, self.model, name, arguments, self.batch_size, compiled=compiled)
            self._calls[key] = graphs.function(name, arguments, self.model, beside, step) or self._own(name, arguments)
        return self._calls[key](*arguments)

    def _own(self, name: str, arguments: Sequence[Any]) -> Any:
        """Returns a graph that no other model shares."""
        functions = {"train": self._many_train_steps, **self._functions()}
        return SharedGraphs(self.model, functions).function(name, arguments, self.model)

    def _beside(self) -> list[keras.Variable]:
        """Returns the variables that training uses in addition to the model's."""
        vectors = [] if self._update is None else self._update.variables
        changing = scheduled(self.model.optimizer)
        return [*self.model.optimizer.variables, *([] if changing is None else [changing.share]), *vectors]

    def _batches(self, block: Block) -> Iterator[Any]:
        rows = int(block.order.shape[0])
        for first in range(0, rows, self.evaluation_batch):
            yield block.order if rows <= self.evaluation_batch else block.order[first : first + self.evaluation_batch]

    def _many_train_steps(
        self, features: Any, targets: Any, weights: Any, order: Any, first: Any, last: Any, empties: Any
    ) -> Any:
        before = [tf.identity(weight) for weight in self.model.weights]
        tf.cond(empties, self._emptied, lambda: tf.constant(False))
        train_step = TrainStep(self.model, self._update, compiled=self.jit_compile is True)
        if self._update is not None:
            in_turn(self._update.begin)()

        def body(step: Any, answers: Any) -> Any:
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            inputs, labels = self._gather(features, rows), tf.gather(targets, rows)
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
        if not train_step.counts_later:
            return *in_turn(self._end)(), before
        rows = order[first * self.batch_size : last * self.batch_size]
        return *in_turn(self._end)(tf.gather(targets, rows), kept.concat()), before

    def _gather(self, features: Any, rows: Any) -> dict[str, Any]:
        return without_padding(gather(features, rows), self._padded)

    def _emptied(self) -> Any:
        self.model.reset_metrics()
        return tf.constant(True)

    def _end(self, *counted: Any) -> Any:
        if counted:
            self.model.compute_metrics(None, *counted)
        if self._update is not None:
            self._update.end()
        floats = [weight for weight in self.model.weights if keras.backend.is_float_dtype(weight.dtype)]
        finite = [tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(weight))) for weight in floats]
        return self.model.get_metrics_result(), tf.reduce_all(finite)

    def _test_step(self, features: Any, targets: Any, rows: Any, *weights: Any) -> Any:
        def step() -> Any:
            own = share(rows)
            counts = [tf.gather(each, own) for each in weights]
            with plain_softmax(self.model):
                return self.model.test_step((self._gather(features, own), tf.gather(targets, own), *counts))

        results = on_replicas(step)
        return self.model.get_metrics_result() if tf.distribute.has_strategy() else results

    def _test_alone(self, *arguments: Any) -> Any:
        self.model.reset_metrics()
        return self._test_step(*arguments)

    def _answers(self, features: Any, rows: Any) -> Any:
        return self.model(self._gather(features, rows), training=False)


# The same few numbers at each epoch, of which making tensors takes as long as a tenth of a small network's step.
@functools.lru_cache(1024)
def _step(number: int) -> Any:
    return tf.constant(number, tf.int64)


@functools.cache
def _flag(value: bool) -> Any:
    return tf.constant(value)


def _weights(block: Block) -> tuple[Any, ...]:
    """Returns the weights of a block's rows, if it has any."""
    return () if block.weights is None else (block.weights,)
