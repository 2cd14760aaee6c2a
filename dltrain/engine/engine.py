"""The training loop: each epoch is one compiled graph around Keras' own `train_step`.

Keras' `fit` spends nearly all of a small run on the overhead of every step. Here a step costs its arithmetic, and the
numbers are those of `fit` on the same batches.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from dltrain.engine.divergence import diverged
from dltrain.engine.graphs import Augment, EpochResults, Graphs
from dltrain.preprocessing.rows import Source

logger = logging.getLogger(__name__)

FIRST_SEGMENT = 64  # steps before the first look at the clock
SEGMENT_SECONDS = 0.5  # between two looks at callbacks and signals


class Engine:
    """Trains a compiled Keras model.

    Args:
        model: compiled; built here if it is not yet.
        batch_size: rows a step.
        shuffle: whether each epoch takes the rows in an order of its own, drawn from seed and epoch.
        seed: of the orders.
        augmentation: changes each training batch inside the graph, or None.
        jit_compile: whether XLA compiles the training step; auto: the optimizer's update alone, of large weights.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        batch_size: int,
        shuffle: bool,
        seed: int,
        augmentation: Augment | None = None,
        jit_compile: bool | Literal["auto"] = "auto",
    ) -> None:
        self.model = model
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.graphs = Graphs(model, batch_size, augmentation, jit_compile)
        self._steps_a_call = FIRST_SEGMENT
        self._has_trained = False

    def order(self, epoch: int, rows: int) -> npt.NDArray[np.int64]:
        """The row order of an epoch (counted from 0), shape (rows,); it depends on seed and epoch alone."""
        if not self.shuffle:
            return np.arange(rows)
        return np.random.default_rng([self.seed, epoch]).permutation(rows)

    def train(
        self,
        source: Source,
        validation: Source | None,
        *,
        epochs: int,
        callbacks: Sequence[keras.callbacks.Callback],
        first_epoch: int = 0,
        first_step: int = 0,
    ) -> None:
        """Runs the epochs until the last one, or until a callback sets `model.stop_training`.

        Callbacks get what `fit` gives them. Those with batch hooks get them, at the price of a Python call a step.
        Those with a method `on_steps_end(step)` get it at every multiple of their attribute `every_steps`, those with
        `on_segment_end(epoch, step)` every half second within an epoch.

        Args:
            source: rows to train on.
            validation: rows to validate on after each epoch, if there are any.
            epochs: at most.
            callbacks: Keras' or like them.
            first_epoch: counted from 0.
            first_step: the step of the first epoch to begin with; the metrics then hold what the steps before gave.

        Raises:
            RunError: the loss or a weight is no longer finite; the loss alone would not tell, since TensorFlow's CPU
                kernels can hide a NaN. The network then has the weights from before the epoch.
        """
        steps = -(-source.rows // self.batch_size)
        hooks = keras.callbacks.CallbackList(list(callbacks), model=self.model, epochs=epochs, steps=steps, verbose=0)
        steppers = [callback for callback in callbacks if getattr(callback, "every_steps", None)]
        watchers = [callback for callback in callbacks if hasattr(callback, "on_segment_end")]
        each_step = any(has_batch_hooks(callback) for callback in callbacks)
        self.model.stop_training = False
        self._build(source, epochs * steps)
        hooks.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in range(first_epoch, epochs):
            hooks.on_epoch_begin(epoch)
            first = first_step if epoch == first_epoch else 0
            before: Sequence[Any] = ()
            for done, results in self._epoch(source, epoch, first, steps, hooks if each_step else None, steppers):
                before = before or results.before
                for watcher in watchers if done < steps else ():
                    watcher.on_segment_end(epoch, done)
            logs = results.logs()
            if not results.finite or not math.isfinite(logs["loss"]):
                raise diverged(self, source, epoch, logs["loss"], before)
            if validation is not None:
                hooks.on_test_begin()
                logs.update({f"val_{name}": value for name, value in self.evaluate(validation).items()})
                hooks.on_test_end(logs)
            hooks.on_epoch_end(epoch, logs)
            if self.model.stop_training:
                break
        hooks.on_train_end(logs)

    def evaluate(self, source: Source) -> dict[str, float]:
        """Loss and metrics over all rows, in inference mode."""
        self._build(source)
        blocks = source.blocks(np.arange(source.rows), self.graphs.evaluation_batch)
        if source.rows <= self.graphs.evaluation_batch:
            return self.graphs.test_alone(next(iter(blocks))).logs()
        self.graphs.reset()
        for block in blocks:
            results = self.graphs.test(block)
        return results.logs()

    def predict(self, source: Source) -> npt.NDArray[np.float32]:
        """The model's answers for all rows, shape (rows, units), in inference mode."""
        self._build(source)
        blocks = source.blocks(np.arange(source.rows), self.graphs.evaluation_batch)
        return np.concatenate([self.graphs.predict(block) for block in blocks])

    def _build(self, source: Source, steps: int = 0) -> None:
        if not self.graphs.built:
            self.graphs.build(next(iter(source.blocks(np.arange(min(2, source.rows)), self.batch_size))), steps)

    def _epoch(
        self, source: Source, epoch: int, done: int, steps: int, hooks: Any, steppers: Sequence[Any]
    ) -> Iterator[tuple[int, EpochResults]]:
        """Trains the steps of an epoch from number `done` on, and yields after each segment how many are done."""
        for block in source.blocks(self.order(epoch, source.rows)[done * self.batch_size :], self.batch_size):
            in_block = -(-int(block.order.shape[0]) // self.batch_size)
            first = 0
            while first < in_block:
                length = 1 if hooks else self._steps_a_call
                last = min(
                    first + length,
                    in_block,
                    *(_next_stop(epoch * steps + done, s.every_steps, first) for s in steppers),
                )
                if hooks:
                    hooks.on_train_batch_begin(done)
                began = time.perf_counter()
                results = self.graphs.train(block, first, last, empties=done == 0)
                done += last - first
                if hooks:
                    hooks.on_train_batch_end(done - 1, results.logs())
                    if self.model.stop_training:
                        return
                elif self._has_trained:
                    self._measure(last - first, time.perf_counter() - began)
                self._has_trained = True  # the first call held the tracing, so that its time says nothing
                for stepper in steppers:
                    if (epoch * steps + done) % stepper.every_steps == 0:
                        stepper.on_steps_end(epoch * steps + done)
                first = last
                yield done, results

    def _measure(self, steps: int, seconds: float) -> None:
        if steps < self._steps_a_call and seconds < SEGMENT_SECONDS:
            return  # the end of an epoch, of which too much is the call itself
        measured = max(1, int(steps * SEGMENT_SECONDS / seconds))
        if not self._steps_a_call / 2 <= measured <= self._steps_a_call * 2:
            logger.debug("%s steps in one call from here on: they take half a second", f"{measured:,}")
        self._steps_a_call = measured


def _next_stop(done: int, every: int, first: int) -> int:
    """The step within the block after which the next multiple of `every` is reached."""
    return first + every - done % every


def has_batch_hooks(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback wants to be called at every training step."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    base = keras.callbacks.Callback
    # LambdaCallback has them as attributes of the object.
    return any(hook in vars(callback) or getattr(type(callback), hook) is not getattr(base, hook) for hook in hooks)
