"""Trains a model by one compiled graph for each epoch, around Keras' own `train_step`.

Keras' `fit` spends nearly all of a small run on the overhead of every step. Here a step costs only its arithmetic, and
the numbers are those of `fit` on the same batches.
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

FIRST_SEGMENT = 64  # steps before the time is first measured
SEGMENT_SECONDS = 0.5  # between two calls of callbacks and checks for signals


class Engine:
    """Trains a compiled Keras model, which is built here if need be.

    If `shuffle`, the order of rows is drawn for each epoch from `seed` and its number. `augmentation` changes each
    training batch inside the graph. XLA compiles the training step if `jit_compile`, and with auto only the optimizer's
    update of large weights.
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
        """Returns the row order of an epoch (counted from 0), shape (rows,), which depends only on seed and epoch."""
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

        Callbacks get what `fit` gives them; those with batch hooks cost a Python call for each step. A method
        `on_steps_end(step)` is called at every multiple of the callback's attribute `every_steps`, and
        `on_segment_end(epoch, step)` every half second within an epoch. Training starts at step `first_step` of epoch
        `first_epoch` (both from 0), with metrics as the steps before left them.

        Raises:
            RunError: If the loss or a weight is no longer finite; the loss alone would not tell, since TensorFlow's CPU
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
                _tell(hooks, "on_test_end", logs)
            _tell(hooks, "on_epoch_end", epoch, logs)
            if self.model.stop_training:
                break
        hooks.on_train_end(logs)

    def evaluate(self, source: Source) -> dict[str, float]:
        """Returns loss and metrics over all rows, in inference mode."""
        self._build(source)
        blocks = source.blocks(np.arange(source.rows), self.graphs.evaluation_batch)
        if source.rows <= self.graphs.evaluation_batch:
            return self.graphs.test_alone(next(iter(blocks))).logs()
        self.graphs.reset()
        for block in blocks:
            results = self.graphs.test(block)
        return results.logs()

    def predict(self, source: Source) -> npt.NDArray[np.float32]:
        """Returns the predictions for all rows, shape (rows, units), in inference mode."""
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
                    *(first + each.every_steps - (epoch * steps + done) % each.every_steps for each in steppers),
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
                self._has_trained = True  # the first call includes the tracing, so that its time is not measured
                for stepper in steppers:
                    if (epoch * steps + done) % stepper.every_steps == 0:
                        stepper.on_steps_end(epoch * steps + done)
                first = last
                yield done, results

    def _measure(self, steps: int, seconds: float) -> None:
        if steps < self._steps_a_call and seconds < SEGMENT_SECONDS:
            return  # the short end of an epoch, in which the overhead of the call dominates
        measured = max(1, int(steps * SEGMENT_SECONDS / seconds))
        if not self._steps_a_call / 2 <= measured <= self._steps_a_call * 2:
            logger.debug("%s steps in one call from here on: they take half a second", f"{measured:,}")
        self._steps_a_call = measured


def _tell(hooks: keras.callbacks.CallbackList, name: str, *arguments: Any) -> None:
    """Calls a hook of every callback with its arguments, of which the last one holds the logs as Python's numbers.

    Keras' list looks for tensors among them, which takes longer than the hooks of most callbacks.
    """
    *others, logs = arguments
    shared = dict(sorted(logs.items()))  # to which a callback may add what those after it read
    for callback in hooks.callbacks:
        getattr(callback, name)(*others, shared)


def has_batch_hooks(callback: keras.callbacks.Callback) -> bool:
    """Returns whether a callback has hooks for every training step."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    base = keras.callbacks.Callback
    # LambdaCallback sets them on the object.
    return any(hook in vars(callback) or getattr(type(callback), hook) is not getattr(base, hook) for hook in hooks)
