"""Stops a training by what it has taken so far: by steps and by the epoch of the best value, not by epochs alone."""

from __future__ import annotations

from typing import Any

import keras

STATE = ("wait", "stopped_epoch", "best", "best_weights", "best_epoch")


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras' callback with a patience that grows with the best epoch and lasts some steps at least.

    A large table improves no more some epochs after its best, and each of them is many steps; a small one needs as many
    steps, which are many epochs there, and a training that improves late may do so again. The patience is
    `first_patience` + `growth` x the best epoch, or the epochs of `least_steps` if these are more, and never above
    `patience`.
    """

    def __init__(
        self,
        *,
        monitor: str,
        patience: int,
        first_patience: int,
        growth: float,
        least_steps: int,
        min_delta: float = 0.0,
        mode: str = "auto",
        restore_best_weights: bool = True,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(
            monitor=monitor,
            min_delta=min_delta,
            patience=patience,
            mode=mode,
            restore_best_weights=restore_best_weights,
            start_from_epoch=start_from_epoch,
        )
        self.most_patience = patience
        self.first_patience, self.growth, self.least_steps = first_patience, growth, least_steps

    def patience_after(self, best_epoch: int, steps: int) -> int:
        """Returns for how many epochs without a better value one of `steps` steps each goes on; epochs from 1."""
        grown = int(self.first_patience + self.growth * best_epoch)
        return max(1, min(self.most_patience, max(grown, -(-self.least_steps // steps))))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self.patience = self.patience_after(self.best_epoch + 1, self.params["steps"])
        super().on_epoch_end(epoch, logs)

    def get_state(self) -> dict[str, Any]:
        """Returns the best value, epoch and weights so far, and for how many epochs there was none better."""
        return {name: getattr(self, name) for name in STATE}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores what `get_state` returned; the patience is that of the config."""
        for name, value in state.items():
            setattr(self, name, value)
