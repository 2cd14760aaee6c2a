"""Records the loss of each mini-batch and its exponentially weighted averages."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file

FILE = "batch_losses.csv"  # in the directory of a run


def weighted_averages(values: Sequence[float], beta: float) -> Iterator[tuple[float, float]]:
    """Yields the exponentially weighted average after each value, without and with bias correction.

    These are v_t = beta v_(t-1) + (1 - beta) value_t with v_0 = 0, and v_t / (1 - beta^t), which corrects for that zero
    (Kingma & Ba 2015). About 1 / (1 - beta) values are averaged.
    """
    average = 0.0
    for count, value in enumerate(values, 1):
        average = beta * average + (1 - beta) * value
        yield average, average / (1 - beta**count)


class BatchLoss(keras.callbacks.Callback):
    """Writes `batch_losses.csv` at the end of the training, a row for each step, with averages for each of `betas`.

    The engine then stops after each step, which costs a millisecond or two. Each beta is between 0 and 1.
    """

    every_steps = 1

    def __init__(self, directory: Path, *, betas: Sequence[float]) -> None:
        super().__init__()
        if not betas or not all(0 < beta < 1 for beta in betas):
            raise ConfigError(f"callbacks.batch_loss.betas: expected numbers above 0 and below 1, got {list(betas)}.")
        self.path = Path(directory) / FILE
        self.betas = list(betas)
        self._losses: list[float] = []
        self._seen = (0.0, 0.0)

    def on_steps_end(self, step: int) -> None:
        """Called by the engine after each step, when the loss is a mean over the steps of the epoch so far."""
        tracker = self.model.metrics[0]
        total, count = (float(keras.ops.convert_to_numpy(each)) for each in (tracker.total, tracker.count))
        self._losses.append((total - self._seen[0]) / (count - self._seen[1]))
        self._seen = total, count

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by the engine."""
        self._seen = 0.0, 0.0

    def get_state(self) -> dict[str, Any]:
        """Returns the losses so far and the sums that the next loss is computed from."""
        return {"losses": self._losses, "seen": list(self._seen)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores what `get_state` returned."""
        self._losses = list(state["losses"])
        self._seen = state["seen"][0], state["seen"][1]

    def close(self) -> None:
        """Writes the file, also after a failure."""
        averages = [list(weighted_averages(self._losses, beta)) for beta in self.betas]
        names = [f"{kind}_{beta:g}" for beta in self.betas for kind in ("average", "corrected")]
        with replace_file(self.path) as path, path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["step", "loss", *names])
            for place, loss in enumerate(self._losses):
                writer.writerow([place + 1, loss, *(value for each in averages for value in each[place])])
