"""Saves and restores all that a training needs to continue exactly where it stopped."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dltrain.base.errors import RunError
from dltrain.record.state_file import FILE, is_plain, read, write
from dltrain.training.interrupts import Interrupts

logger = logging.getLogger("dltrain")

MOST_OF_THE_TIME = 0.02  # the share of the training time that saving may take


class TrainingState(keras.callbacks.Callback):
    """Saves the state of a training periodically and restores it when a run is resumed. It is the last callback.

    The state is: weights, states of random layers and metrics; the optimizer's variables; the states of the callbacks;
    epoch and step. The order of rows follows from seed and epoch.

    A callback with the methods `get_state()` and `set_state(state)` decides itself what is saved. Of any other, the
    public attributes are saved that hold numbers, text, NumPy arrays, or lists, tuples and dicts of them.

    At least `seconds` are between two savings, and at least fifty times the duration of one; None saves only after a
    signal and at the end. From the epoch `rate_changes` on the config's
    learning rate replaces the saved one.
    """

    def __init__(
        self,
        directory: Path,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        seconds: float | None,
        resumes: bool,
        interrupts: Interrupts,
        rate_changes: int = 0,
    ) -> None:
        super().__init__()
        self.path = Path(directory) / FILE
        self.callbacks = list(callbacks)
        self.seconds = float("inf") if seconds is None else seconds
        self.interrupts = interrupts
        self.rate_changes = rate_changes
        self._found: dict[str, Any] | None = read(self.path) if resumes else None
        if resumes and self._found is None:
            logger.info("No state was saved: the training starts again at its first epoch")
        self._next = 0.0

    @property
    def beginning(self) -> tuple[int, int]:
        """Epoch (from 0) and step in it where the training begins."""
        return (self._found["epoch"], self._found["step"]) if self._found else (0, 0)

    @property
    def stopped(self) -> bool:
        """Whether a callback had stopped the training when the state was saved."""
        return bool(self._found and self._found["stopped"])

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine after the other callbacks, some of which reset themselves here."""
        if self._found:
            self._restore(self._found)
            epoch, step = self.beginning
            logger.info("The training goes on after epoch %d%s", epoch, f" and {step} steps" if step else "")
        self._next = time.monotonic() + self.seconds

    def on_segment_end(self, epoch: int, step: int) -> None:
        """Called by the engine a few times a second within an epoch."""
        self._look(epoch, step)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        self._look(epoch + 1, 0, save=last)

    def _look(self, epoch: int, step: int, *, save: bool = False) -> None:
        if save or self.interrupts.received is not None or time.monotonic() >= self._next:
            began = time.monotonic()
            write(self.path, self._state(epoch, step))
            now = time.monotonic()
            self._next = now + max(self.seconds, (now - began) / MOST_OF_THE_TIME)
        self.interrupts.check()

    def _state(self, epoch: int, step: int) -> dict[str, Any]:
        return {
            "epoch": epoch,
            "step": step,
            "stopped": bool(self.model.stop_training),
            "variables": [np.asarray(variable) for variable in _variables(self.model)],
            "callbacks": [[type(callback).__name__, _state_of(callback)] for callback in self.callbacks],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        variables, values = _variables(self.model), state["variables"]
        names = [type(callback).__name__ for callback in self.callbacks]
        shapes = [tuple(variable.shape) for variable in variables]
        if shapes != [value.shape for value in values] or names != [name for name, _ in state["callbacks"]]:
            raise RunError(
                f"'{self.path}' does not fit this network, its optimizer or its callbacks: the config or the packages "
                "have changed since it was saved. Start a new run."
            )
        kept = self.model.optimizer.learning_rate if self.rate_changes > state["epoch"] else None
        for variable, value in zip(variables, values, strict=True):
            if variable is not kept:
                variable.assign(value)
        for callback, (_, kept) in zip(self.callbacks, state["callbacks"], strict=True):
            if hasattr(callback, "set_state"):
                callback.set_state(kept)
            else:
                vars(callback).update(kept)


def _variables(model: keras.Model) -> list[Any]:
    """Returns weights, random states, metrics and the optimizer's variables, each once and always in this order."""
    every = [*model.variables, *model.metrics_variables, *model.optimizer.variables]
    return list({id(variable): variable for variable in every}.values())


def _state_of(callback: keras.callbacks.Callback) -> Any:
    if hasattr(callback, "get_state"):
        return callback.get_state()
    own = [each for each in type(callback).__mro__ if each.__module__.startswith("keras.")]
    own.remove(keras.callbacks.Callback)
    # Keras' callbacks keep state in private attributes too. Their settings have to come from the config, because
    # EarlyStopping changes the sign of its min_delta when it begins.
    settings = {"params"}.union(*(inspect.signature(each).parameters for each in own))
    return {
        name: value
        for name, value in vars(callback).items()
        if (own or not name.startswith("_")) and name not in settings and is_plain(value)
    }
