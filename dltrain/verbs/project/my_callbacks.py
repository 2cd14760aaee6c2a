"""Callbacks of this project; a YAML names them with `_target_: my_callbacks.Improvements`."""

from __future__ import annotations

from pathlib import Path

import keras


class Improvements(keras.callbacks.Callback):
    """Writes `improvements.txt` into the run directory: a line for each epoch that was better than all before.

    dltrain passes the run directory to a parameter named `directory`; of the value `monitor`, less is better.
    """

    def __init__(self, directory: Path, monitor: str) -> None:
        super().__init__()
        self.path = Path(directory) / "improvements.txt"
        self.monitor = monitor
        self.best = float("inf")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Runs after each epoch; `epoch` counts from 0."""
        value = (logs or {}).get(self.monitor, float("inf"))
        if value < self.best:
            self.best = value
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"epoch {epoch + 1}: {self.monitor} {value:.4f}\n")
