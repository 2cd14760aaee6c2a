"""Saves checkpoints of the best and the last weights."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file
from dltrain.training.monitor import better, direction

SECONDS_BETWEEN = 10.0


class Checkpoint(keras.callbacks.Callback):
    """Keeps the best weights in memory, and writes them and the last ones into `checkpoints/`.

    At most one count is given. Without one, files are written every ten seconds and at the end, because writing a model
    takes longer than an epoch of a small training. `every_samples` is rounded up to whole steps. `mode` is min, max, or
    auto, which takes the direction from the metric. `best_only` writes no `last.keras`.
    """

    def __init__(
        self,
        directory: Path,
        batch_size: int,
        *,
        monitor: str,
        mode: str,
        every_epochs: int | None,
        every_steps: int | None,
        every_samples: int | None,
        best_only: bool,
    ) -> None:
        super().__init__()
        counts = {"every_epochs": every_epochs, "every_steps": every_steps, "every_samples": every_samples}
        given = {name: count for name, count in counts.items() if count is not None}
        if len(given) > 1 or any(count < 1 for count in given.values()):
            raise ConfigError(f"callbacks.checkpoint: expected at most one count of at least 1, got {given}.")
        self.directory = Path(directory) / "checkpoints"
        self.monitor, self.mode, self.best_only = monitor, mode, best_only
        self.every_epochs = every_epochs
        self.every_steps = every_steps or (-(-every_samples // batch_size) if every_samples else None)
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.best_weights: list[Any] | None = None
        self._epoch = 0
        self._unwritten_best = False
        self._written_at = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self.directory.mkdir(exist_ok=True)
        self._written_at = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self._epoch = epoch + 1
        value = (logs or {})[self.monitor]
        if np.isfinite(value) and (
            self.best is None or better(value, self.best, direction(self.monitor, self.mode, self.model))
        ):
            self.best, self.best_epoch, self.best_weights = value, epoch + 1, self.model.get_weights()
            self._unwritten_best = True
        by_clock = self.every_epochs is None and self.every_steps is None
        if by_clock and time.monotonic() - self._written_at > SECONDS_BETWEEN:
            self._write()
        if self.every_epochs and (epoch + 1) % self.every_epochs == 0:
            self._write()

    def on_steps_end(self, step: int) -> None:
        """Called by the engine at every multiple of `every_steps`."""
        self._write(step)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self._write()

    def on_interrupt(self) -> None:
        """Called when a person interrupts the training; writes the files."""
        self._write()

    def get_state(self) -> dict[str, Any]:
        """Returns the best value, epoch and weights so far."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
            "epoch": self._epoch,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores what `get_state` returned."""
        self.best, self.best_epoch, self.best_weights = state["best"], state["best_epoch"], state["best_weights"]
        self._epoch = state["epoch"]
        self._unwritten_best = self.best is not None  # best.keras may hold an epoch that will be trained again

    def on_failure(self) -> None:
        """Called when the training fails; saves the best epoch."""
        if self._unwritten_best:
            self._save_best()

    def replace_network(self, network: keras.Model) -> None:
        """Follows this network from now on, whose weights become the best ones."""
        self.set_model(network)
        if self.best_weights is not None:
            self.best_weights = network.get_weights()
            self._unwritten_best = True
        self._write()

    def restore_best(self) -> None:
        """Puts the best weights, if any, into the model."""
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)

    def _write(self, step: int | None = None) -> None:
        if not self.best_only:
            self._save("last.keras")
        if self._unwritten_best and not self.best_only and self._is_best():
            with replace_file(self.directory / "best.keras") as path:
                shutil.copyfile(self.directory / "last.keras", path)  # takes a tenth of the time of saving
            self._unwritten_best = False
        elif self._unwritten_best:
            self._save_best()
        state = {
            "epoch": self._epoch,
            "step": step if step is not None else int(keras.ops.convert_to_numpy(self.model.optimizer.iterations)),
            "monitor": self.monitor,
            "best": self.best,
            "best_epoch": self.best_epoch,
        }
        with replace_file(self.directory / "state.json") as path:
            path.write_text(json.dumps(state, indent=2) + "\n")
        self._written_at = time.monotonic()

    def _save_best(self) -> None:
        now = self.model.get_weights()
        self.restore_best()
        self._save("best.keras")
        self.model.set_weights(now)
        self._unwritten_best = False

    def _is_best(self) -> bool:
        best = self.best_weights or []
        return all(np.array_equal(own, kept) for own, kept in zip(self.model.get_weights(), best, strict=True))

    def _save(self, name: str) -> None:
        with replace_file(self.directory / name) as path:
            self.model.save(path)


class BestWeights(Checkpoint):
    """Keeps the best weights in memory and writes no files, for a training whose weights are not a result."""

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""

    def on_failure(self) -> None:
        """Called when the training fails."""

    def _write(self, step: int | None = None) -> None:
        pass
