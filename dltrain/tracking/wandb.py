"""Sends a run to Weights & Biases: settings, metrics of each epoch and the final ones, also without a network."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from typing import Any

from dltrain.base.distribution import install
from dltrain.base.errors import ConfigError
from dltrain.record.record import Record
from dltrain.record.run_directory import RunDirectory
from dltrain.tracking.mlflow import final_values, reason_of
from dltrain.tracking.run_ids import record_run, recorded_run

logger = logging.getLogger("dltrain")


class WeightsAndBiases:
    """Sends one run to Weights & Biases; a failure after the beginning is logged and does not stop the run.

    `mode` is online, or offline, which writes into the run's folder `wandb` what `wandb sync` sends later. Jobs of a
    sweep share a group. `config_key` names the tracker in errors and in run.json.
    """

    def __init__(self, project: str, mode: str = "online", config_key: str = "tracking.wandb") -> None:
        if importlib.util.find_spec("wandb") is None:
            raise ConfigError(f"tracking=wandb needs wandb: {install('wandb')}.")
        if mode not in ("online", "offline"):
            raise ConfigError(f"{config_key}.mode: expected online or offline, got '{mode}'.")
        self.project, self.mode, self.config_key = project, mode, config_key
        self._run: Any = None

    def begin(self, directory: RunDirectory, name: str, settings: Mapping[str, Any], tags: Mapping[str, Any]) -> None:
        """Begins a run, or continues the one that `run.json` names.

        `settings` maps full keys to values; `tags` are facts that are no settings.

        Raises:
            ConfigError: If the service cannot be used.
        """
        import wandb

        before = recorded_run(directory, self.config_key)
        path = directory.path.resolve()
        words = [str(word) for word in directory.facts.get("overrides", [])]
        facts = {key: str(value) for key, value in tags.items() if value is not None}
        try:
            self._run = wandb.init(
                project=self.project,
                name=name,
                id=before.get("run_id") if before.get("project") == self.project else None,
                resume="allow",
                group=path.parent.name if (path.parent / "sweep.json").exists() else None,
                config={**settings, "dltrain": {**facts, "words": words, "data": directory.facts.get("data")}},
                dir=str(path),
                mode=self.mode,
                settings=wandb.Settings(silent=True, console="off", save_code=False),
            )
        except Exception as error:  # network, login and the service itself fail in many ways
            raise ConfigError(
                f"{self.config_key}: Weights & Biases cannot be used: {reason_of(error)}. "
                f"Log in with wandb login, or add {self.config_key}.mode=offline."
            ) from error
        record_run(directory, self.config_key, project=self.project, run_id=self._run.id)

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Sends the values of an epoch (from 1)."""
        self._try(lambda: self._run.log(dict(values), step=number))

    def end(self, directory: RunDirectory, *, register: bool) -> None:
        """Sends the final metrics of a run whose status is final; no model is registered."""
        if self._run is None:
            return
        status = str(directory.facts["status"])
        self._try(lambda: self._run.summary.update({**final_values(Record(directory.path).metrics), "status": status}))
        self._try(lambda: self._run.finish(exit_code=0 if status == "completed" else 1))

    def _try(self, send: Any) -> None:
        try:
            send()
        except Exception as error:
            logger.debug("Tracking failed", exc_info=error)
            logger.warning("tracking: Weights & Biases did not take everything of this run: %s", reason_of(error))
