"""Implements `dltrain resume DIR`, which continues an interrupted run or sweep, or trains a finished run for longer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.base.lock import lock, unlock
from dltrain.base.show import show
from dltrain.config import conformity
from dltrain.config.schema import Config
from dltrain.record.config_changes import ConfigChange, changes_of
from dltrain.record.record import Record
from dltrain.verbs import Verb, argument
from dltrain.verbs.report import make_report

ALLOWED = ("trainer.epochs", "quiet", "verbose")

DESCRIPTION = """\
Goes on with a run that was interrupted, terminated, killed or that failed, in its own directory and with its own
settings. It ends with the same weights, history and predictions as if it had never stopped. A finished run is trained
for longer with trainer.epochs=N; one that was killed before it wrote its report gets it. Other settings than the run
began with, written into its config.yaml, are refused, or taken up with --with-changes; run.json then lists from which
epoch on they count.

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
    from dltrain.api.rerun import resume_sweep, run_recorded, where_it_was_started
    from dltrain.sweeps.start import is_sweep

    if is_sweep(Path(given.run)):
        if given.with_changes:
            raise ConfigError("--with-changes has no effect on a sweep: name the directory of a single run.")
        return resume_sweep(Path(given.run), given.overrides)
    record = Record(given.run)
    lock(record.path)  # before its state is read
    try:
        edited = changes_of(record)
        _refuse(edited, record, given)
        config = _with_overrides(record, given.overrides)
        changes = _taken_up(edited, record, config)
        nothing_left = _nothing_left(record, config)
        if nothing_left:
            show(nothing_left)
            if _lacks_report(record):
                with where_it_was_started(record):
                    show(f"its report was missing: {make_report(Record(record.path.resolve()))}")
            return 0
        for key in _with_another_curve(record, config):
            show(
                f"warning: {key}={record.choices.get(key)} goes by trainer.epochs and follows another curve from here "
                f"on: this is not the run that had {config.trainer.epochs} epochs from its start.",
                file=sys.stderr,
            )
        run_recorded(record, config, record.path, resumes=True, changes=changes)
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
        argument(
            "--with-changes", action="store_true", help="take up what was changed in config.yaml since the run began"
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
    if config.trainer.epochs < min(done, _epochs(record)):
        raise ConfigError(f"trainer.epochs: {name} has {done} epochs already, got {config.trainer.epochs}.")
    return config


def _refuse(edited: list[ConfigChange], record: Record, given: argparse.Namespace) -> None:
    """Refuses what was changed in config.yaml, unless it can and shall be taken up."""
    typed = {word.partition("=")[0] for word in given.overrides}
    edited = [each for each in edited if each.key not in typed]
    if not edited:
        return
    several = record.config.get("cv") is not None or record.config.get("seeds", 1) > 1
    fixed = edited if several else [each for each in edited if not each.can_be_taken_up]
    if fixed:
        why = "folds and seeds share their settings" if several else "what was trained so far rests on them"
        raise ConfigError(
            [
                f"'{record.path / 'config.yaml'}' was changed since the run was recorded, in settings that a run "
                f"keeps: {why}. Put them back, or start a new run.",
                *(each.sentence for each in fixed),
            ]
        )
    if not given.with_changes:
        raise ConfigError(
            [
                f"'{record.path / 'config.yaml'}' was changed since the run was recorded. Put it back, or add "
                "--with-changes to go on with it.",
                *(each.sentence for each in edited),
            ]
        )
    keys = tuple(each.key for each in edited)
    if faults := [each for each in conformity.faults(record.config, Config) if each.startswith(keys)]:
        raise ConfigError(faults)


def _taken_up(edited: list[ConfigChange], record: Record, config: DictConfig) -> list[dict[str, Any]]:
    """Returns the changes as run.json lists them, with the first epoch (from 1) that has them."""
    changed = {each.key: (each.before, each.after) for each in edited if each.key != "trainer.epochs"}
    if config.trainer.epochs != (before := _epochs(record)):
        changed["trainer.epochs"] = (before, config.trainer.epochs)
    if not changed:
        return []
    from dltrain.record.state_file import FILE, read

    states = map(read, [record.path / FILE, *record.path.glob(f"*/*/{FILE}")])
    epoch = 1 + min((state["epoch"] for state in states if state), default=0)
    return [{"epoch": epoch, "key": key, "before": old, "after": new} for key, (old, new) in changed.items()]


def _epochs(record: Record) -> int:
    """Returns how many epochs the run was to have when it was recorded."""
    return int(record.settings.get("trainer.epochs", record.config.trainer.epochs))


def _with_another_curve(record: Record, config: DictConfig) -> list[str]:
    """Returns the groups whose schedule depends on the number of epochs, if that has changed."""
    if config.trainer.epochs == _epochs(record):
        return []
    targets = {key: str((config.get(key) or {}).get("_target_")) for key in ("schedule", "regularization_schedule")}
    return [key for key, target in targets.items() if "cosine" in target.rpartition(".")[2].lower()]


def _nothing_left(record: Record, config: DictConfig) -> str:
    """Returns why a run need not be resumed, or an empty text."""
    if record.facts.get("status") != "completed":
        return ""
    done, wanted = len(record.history), config.trainer.epochs
    if wanted == _epochs(record):
        return f"'{record.path}' is complete: nothing is left to do. To train for longer give trainer.epochs=N."
    if done < _epochs(record) and record.metrics.get("epochs") == done:
        return (
            f"'{record.path}' was stopped by a callback after epoch {done} of {_epochs(record)}: "
            "more epochs would not change that."
        )
    return ""


def _lacks_report(record: Record) -> bool:
    """Returns whether a completed run ended before its report was written, which it wanted."""
    from dltrain.sweeps.start import is_sweep

    wanted = record.config.get("report")
    if wanted == "auto":
        wanted = not any(map(is_sweep, record.path.resolve().parents))
    return bool(wanted) and not (record.path / "report.html").exists()
