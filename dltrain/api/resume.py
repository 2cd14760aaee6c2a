"""Continues an interrupted run, or trains a finished one for longer, with its own settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dltrain.api.reports import write_report
from dltrain.api.rerun import run_recorded, where_it_was_started
from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.base.files import remove_unfinished
from dltrain.base.lock import lock, unlock
from dltrain.base.shell_words import quoted
from dltrain.config import conformity
from dltrain.config.schema import Config
from dltrain.record.config_changes import ALLOWED, ConfigChange, changes_of
from dltrain.record.record import Record
from dltrain.record.winner import ENSEMBLE


def resume_run(
    directory: str | Path,
    overrides: Sequence[str] = (),
    *,
    with_changes: bool = False,
    note: Callable[[str], Any],
    warn: Callable[[str], Any],
    shows: bool = True,
) -> None:
    """Continues a run in its own directory, to the end that it would have reached without a stop.

    `overrides` may set the keys `ALLOWED`; `with_changes` takes up what was edited in its config.yaml. `note` is told
    why nothing is left to do, `warn` what a person should look at; unless `shows`, the terminal gets progress alone.

    Raises:
        ConfigError: If there is no run, or it cannot go on with these settings.
    """
    record = Record(directory)
    if record.members or (record.path.name == ENSEMBLE and (record.path.parent / "sweep.json").exists()):
        raise ConfigError(
            f"'{record.path}' is the ensemble of a search, which is not trained by itself. To go on with the search: "
            f"dltrain resume {quoted(record.path.parent)}"
        )
    lock(record.path)  # before its state is read
    try:
        edited = changes_of(record)
        _refuse(edited, record, overrides, with_changes=with_changes)
        config = _with_overrides(record, overrides)
        changes = _taken_up(edited, record, config)
        nothing_left = _nothing_left(record, config)
        if nothing_left:
            remove_unfinished(record.path)
            note(nothing_left)
            if _lacks_report(record):
                with where_it_was_started(record):
                    note(f"its report was missing: {write_report(record.path.resolve(), trust=True)}")
            return
        for key in _with_another_curve(record, config):
            warn(
                f"{key}={record.choices.get(key)} goes by trainer.epochs and follows another curve from here on: this "
                f"is not the run that had {config.trainer.epochs} epochs from its start."
            )
        run_recorded(record, config, record.path, resumes=True, changes=changes, shows=shows)
    finally:
        unlock(record.path)


def write_missing_reports(sweep: Path, note: Callable[[str], Any]) -> None:
    """Writes the reports that completed jobs of a sweep wanted and lack; `note` is told of each."""
    from dltrain.sweeps.ledger import Ledger

    for entry in Ledger(sweep).entries():
        record = Record(sweep / entry.job)
        if entry.status == "completed" and (record.path / "run.json").exists() and _lacks_report(record):
            lock(record.path)
            try:
                remove_unfinished(record.path)
                with where_it_was_started(record):
                    file = write_report(record.path.resolve(), trust=True)
                note(f"the report of job {entry.job} was missing: {file}")
            finally:
                unlock(record.path)


def _with_overrides(record: Record, overrides: Sequence[str]) -> DictConfig:
    config = record.config.copy()
    for word in overrides:
        key, sign, value = word.partition("=")
        if not sign or key not in ALLOWED:
            near = did_you_mean(key, ALLOWED)
            raise ConfigError(
                f"{key}: a run that goes on keeps its settings, so that one config describes all of it.{near} "
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


def _refuse(edited: list[ConfigChange], record: Record, overrides: Sequence[str], *, with_changes: bool) -> None:
    """Refuses what was changed in config.yaml, unless it can and shall be taken up."""
    typed = {word.partition("=")[0] for word in overrides}
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
    if not with_changes:
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

    if (record.path / "report.html").exists():
        return False
    wanted = record.settings["report"] if "report" in record.settings else record.config.get("report")
    if wanted == "auto":
        wanted = not any(map(is_sweep, record.path.resolve().parents))
    return bool(wanted)
