"""Ends the training of a job when its share of the minutes is spent, and repeats such an end without a clock."""

from __future__ import annotations

import logging
from pathlib import Path

import keras

from dltrain.base.errors import PrunedError
from dltrain.sweeps import clock
from dltrain.sweeps.stop import asked_to_stop

logger = logging.getLogger("dltrain")


class TimeLimit(keras.callbacks.Callback):
    """Stops a training after the last epoch for which there is time, or after Ctrl-C; the best weights are kept.

    The epoch is written into the directory. A training that finds such a file, as one that is reproduced or resumed
    does, ends with that epoch and looks at no clock.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = Path(directory)
        self._sweep: Path | None = None
        self._until: float | None = None
        self._last: int | None = None
        self._began = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Reads when the training shall end; a fold that begins after the end of its job ends the job."""
        self._last = clock.last_epoch(self.directory)
        places = [self.directory.resolve(), *self.directory.resolve().parents]
        sweep = next((path for path in places if (path / "sweep.json").exists()), None)
        # What Hydra did not start is a repetition, which takes the time that it needs.
        job = next((path for path in places if (path / ".hydra").is_dir()), None)
        if sweep is not None and job is not None and sweep in job.parents:
            self._sweep, self._until = sweep, clock.train_until(sweep, job.relative_to(sweep).as_posix())
        self._began = clock.now()
        self._refuse_a_late_beginning()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Takes the time."""
        self._began = clock.now()

    def on_segment_end(self, epoch: int, step: int) -> None:
        """Ends a job that has no time for its first epoch, which leaves nothing to keep."""
        if epoch == 0:
            self._refuse_a_late_beginning()

    def _refuse_a_late_beginning(self) -> None:
        if self._last is None and self._until is not None and clock.now() > self._until:
            raise PrunedError("pruned: the time was too short for one epoch")

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stops the training if the next epoch would end too late."""
        if self._last is not None:
            if epoch + 1 >= self._last:
                self.model.stop_training = True
            return
        if self._sweep is None or self.model.stop_training:
            return
        time_is_up = self._until is not None and 2 * clock.now() - self._began > self._until
        if time_is_up or asked_to_stop(self._sweep):
            self.model.stop_training = True
            why = "time" if time_is_up else "Ctrl-C"
            logger.debug("ended after epoch %d by %s", epoch + 1, why)
            clock.write_end(self.directory, epoch + 1, why)
