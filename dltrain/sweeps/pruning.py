"""Prunes a job of a search that is hopeless compared with earlier jobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import optuna

from dltrain.base.errors import PrunedError
from dltrain.record.record import Record
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.start import recorded_at_once
from dltrain.training.monitor import direction

# The curves that this process has read, since it may run many jobs of a sweep.
_studies: dict[Path, tuple[optuna.Study, set[str]]] = {}


class Pruning(keras.callbacks.Callback):
    """Reports the objective to an Optuna pruner every few epochs, and ends the run when the pruner says so.

    What the pruner knows of other jobs is read from the ledger and from their history.csv, since jobs may run anywhere.
    It knows those that had to end before this one was drawn, whichever else have ended by now.
    `objectives` holds one name in the epoch's logs; `directions` is auto, or holds min or max.
    """

    def __init__(
        self,
        directory: Path,
        *,
        pruner: optuna.pruners.BasePruner,
        objectives: Sequence[str],
        directions: str | Sequence[str],
        every_epochs: int,
    ) -> None:
        super().__init__()
        self.directory, self.pruner, self.every_epochs = Path(directory), pruner, every_epochs
        (self.monitor,) = objectives
        self.mode = "auto" if directions == "auto" else directions[0]
        self._trial: optuna.Trial | None = None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Gives the pruner the finished jobs of the sweep."""
        sweep = next((path for path in self.directory.resolve().parents if (path / "sweep.json").exists()), None)
        # A reproduction in the sweep's directory was not started by Hydra and shall train as long as its original.
        if sweep is not None and (self.directory / ".hydra").is_dir():
            way = direction(self.monitor, self.mode, self.model)
            self._trial = self._others(sweep, way).ask()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Asks the pruner, and raises a PrunedError if other jobs were better at this epoch."""
        # After the last epoch pruning saves nothing, and the job counts as completed.
        last = epoch + 1 == (self.params or {}).get("epochs") or getattr(self.model, "stop_training", False)
        if self._trial is None or (epoch + 1) % self.every_epochs or last:
            return
        value = (logs or {})[self.monitor]
        self._trial.report(value, epoch + 1)
        if self._trial.should_prune():
            raise PrunedError(f"pruned after epoch {epoch + 1}: {self.monitor} {value:.4g} is behind the other jobs")

    def _others(self, sweep: Path, way: str) -> optuna.Study:
        """Returns a study in memory with the curves of finished jobs, replayed so that the pruner knows each rung.

        It is this job's own: what it reports is known to others from its files, once it has ended.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        best = optuna.study.StudyDirection.MAXIMIZE if way == "max" else optuna.study.StudyDirection.MINIMIZE
        if sweep not in _studies:
            _studies[sweep] = optuna.create_study(direction=best, pruner=self.pruner), set()
        study, known = _studies[sweep]
        at_once = recorded_at_once(sweep)
        for entry in Ledger(sweep).entries():
            ended = entry.status in ("completed", "pruned") and self._was_known(entry.job, at_once)
            if ended and entry.job not in known:
                known.add(entry.job)
                self._replay(study, Record(sweep / entry.job).history, entry.status)
        own = optuna.create_study(direction=best, pruner=self.pruner)
        own.add_trials(study.get_trials(deepcopy=False))
        return own

    def _was_known(self, job: str, at_once: int | None) -> bool:
        """Returns whether a job had to end before this one was drawn; others may or may not have ended by now."""
        own = self.directory.resolve().name
        if at_once is None or not (own.isdigit() and job.isdigit()):
            return True
        return int(job) <= int(own) - at_once

    def _replay(self, study: optuna.Study, history: list[dict[str, float]], status: str) -> None:
        trial = study.ask()
        reported = False
        for row in history:
            if int(row["epoch"]) % self.every_epochs == 0 and self.monitor in row:
                trial.report(row[self.monitor], int(row["epoch"]))
                trial.should_prune()
                reported = True
        finished = status == "completed" and self.monitor in (history[-1] if history else {})
        if finished:
            study.tell(trial, history[-1][self.monitor])
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED if reported else optuna.trial.TrialState.FAIL)
