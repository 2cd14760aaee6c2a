"""Implements `dltrain resume DIR`, which continues an interrupted run or sweep, or trains a finished run for longer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.base.lock import lock, unlock
from dltrain.record.record import Record
from dltrain.verbs import Verb, argument

ALLOWED = ("trainer.epochs", "quiet", "verbose")

DESCRIPTION = """\
Goes on with a run that was interrupted, terminated, killed or that failed, in its own directory and with its own
settings. It ends with the same weights, history and predictions as if it had never stopped. A finished run is trained
for longer with trainer.epochs=N.

A sweep goes on with the jobs that are left; --retry-failed repeats those that failed, extend=true adds jobs to it.
"""

EXAMPLES = """\
examples:
  dltrain resume outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain resume outputs/2026-01-31/14-05-09_titanic_mlp trainer.epochs=500
  dltrain resume outputs/sweeps/2026-01-31/14-05-09_titanic --retry-failed

exit codes: 0 done or nothing left to do, 1 the run failed, 2 usage, or the data has changed, 130 interrupted, 143
terminated
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.rerun import resume_sweep, run_recorded
    from dltrain.sweep.start import is_sweep

    if is_sweep(Path(given.run)):
        return resume_sweep(Path(given.run), given.overrides)
    record = Record(given.run)
    lock(record.path)  # before its state is read
    try:
        config = _with_overrides(record, given.overrides)
        nothing_left = _nothing_left(record, config)
        if nothing_left:
            print(nothing_left)
            return 0
        for key in _with_another_curve(record, config):
            print(
                f"warning: {key}={record.choices.get(key)} goes by trainer.epochs and follows another curve from here "
                f"on: this is not the run that had {config.trainer.epochs} epochs from its start.",
                file=sys.stderr,
            )
        run_recorded(record, config, record.path, resumes=True)
    finally:
        unlock(record.path)
    return 0


VERB = Verb(
    name="resume",
    summary="Goes on with a run that was cut off, or trains a finished one for longer.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="the directory of a run or a sweep"),
        argument(
            "overrides",
            nargs="*",
            default=[],
            metavar="KEY=VALUE",
            help=f"of a run: one of {', '.join(ALLOWED)}; of a sweep: any",
        ),
    ),
    function=_run,
)


def _with_overrides(record: Record, overrides: list[str]) -> DictConfig:
    config = record.config.copy()
    for word in overrides:
        key, sign, value = word.partition("=")
        if not sign or key not in ALLOWED:
            near = did_you_mean(key, ALLOWED)
            raise ConfigError(
                f"{key}: a run that goes on keeps its settings, or it would be no run of one config.{near} "
                "Start a new run to change others."
            )
        if key == "trainer.epochs":
            if not value.isdecimal() or int(value) < 1:
                raise ConfigError(f"{key}: expected a whole number of at least 1, got '{value}'.")
            OmegaConf.update(config, key, int(value))
        elif value not in ("true", "false"):
            raise ConfigError(f"{key}: expected true or false, got '{value}'.")
        else:
            OmegaConf.update(config, key, value == "true")
    name, done = max(((name, len(rows)) for name, rows in record.histories.items()), key=lambda each: each[1])
    if config.trainer.epochs < min(done, record.config.trainer.epochs):
        raise ConfigError(f"trainer.epochs: {name} has {done} epochs already, got {config.trainer.epochs}.")
    return config


def _with_another_curve(record: Record, config: DictConfig) -> list[str]:
    """Returns the groups whose schedule depends on the number of epochs, if that has changed."""
    if config.trainer.epochs == record.config.trainer.epochs:
        return []
    targets = {key: str((config.get(key) or {}).get("_target_")) for key in ("schedule", "regularization_schedule")}
    return [key for key, target in targets.items() if "cosine" in target.rpartition(".")[2].lower()]


def _nothing_left(record: Record, config: DictConfig) -> str:
    """Returns why a run need not be resumed, or an empty text."""
    if record.facts.get("status") != "completed":
        return ""
    done, wanted = len(record.history), config.trainer.epochs
    if wanted == record.config.trainer.epochs:
        return f"'{record.path}' is complete: nothing is left to do. To train for longer give trainer.epochs=N."
    if done < record.config.trainer.epochs and record.metrics.get("epochs") == done:
        return (
            f"'{record.path}' was stopped by a callback after epoch {done} of {record.config.trainer.epochs}: "
            "more epochs would not change that."
        )
    return ""
