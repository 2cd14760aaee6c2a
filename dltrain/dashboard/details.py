"""Gathers what the pages show of a run, a sweep and a comparison, as plain values."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dltrain.api.comparison import compare
from dltrain.api.run import verdict
from dltrain.base.errors import ConfigError
from dltrain.base.shell_words import quoted
from dltrain.config.compose import COMPOSITION_ERRORS, Composer
from dltrain.config.settings import choices_of, settings_of
from dltrain.dashboard.shelf import Shelf, plain
from dltrain.record.record import Record
from dltrain.record.winner import read_best
from dltrain.sweeps.importance import importance
from dltrain.sweeps.ledger import Ledger, job_directories
from dltrain.sweeps.ranking import better_way, ranked, swept_keys
from dltrain.sweeps.ranking import settings_of as settings_of_entry
from dltrain.sweeps.standings import like_the_best, standings
from dltrain.sweeps.start import read_record

LOG_LETTERS = 40_000  # of the end of dltrain.log
PARTS = ("train", "validation", "test")


def run_details(shelf: Shelf, name: str) -> dict[str, Any]:
    """Returns all of a run but its history and its log."""
    path = shelf.directory(name, "run.json")
    record = Record(path)
    facts, metrics = record.facts, record.metrics
    data = facts.get("data") or {}
    facing = {
        "started": facts.get("started"),
        "seconds": facts.get("seconds"),
        "dataset": data.get("name"),
        "rows": data.get("rows"),
        "model": record.choices.get("model"),
        "parameters": facts.get("trainable_parameters"),
        "best epoch": metrics.get("best_epoch"),
        "seed": facts.get("seed"),
        "device": facts.get("device"),
        "batch size": facts.get("batch_size"),
        "steps an epoch": facts.get("steps_per_epoch"),
        "error": facts.get("error"),
    }
    sweep = path.parent if (path.parent / "sweep.json").is_file() and path.parent != shelf.folder.parent else None
    return {
        "name": name,
        "status": record.status,
        "typed": [quoted(word) for word in facts.get("overrides") or []],
        "facts": {key: plain(value) for key, value in facing.items() if value is not None},
        "metrics": _metrics(record),
        "monitor": metrics.get("monitor") or facts.get("monitor"),
        "steps": facts.get("steps_per_epoch"),
        "seconds_per_epoch": facts.get("seconds_per_epoch"),
        "verdict": verdict(metrics),
        "notes": [*metrics.get("notes", [])],
        "warnings": [str(each) for each in facts.get("warnings", [])],
        "checks": [
            {key: str(each.get(key, "")) for key in ("check", "severity", "sentence")}
            for each in facts.get("checks") or []
            if isinstance(each, dict)
        ],
        "settings": {key: plain(value) for key, value in {**record.choices, **record.settings}.items()},
        "pictures": sorted(file.name for file in path.glob("plots/*.svg")),
        "report": (path / "report.html").is_file(),
        "sweep": shelf.name(sweep) if sweep is not None and sweep.is_relative_to(shelf.folder) else None,
        "commands": _commands(path, record),
    }


def _metrics(record: Record) -> dict[str, Any]:
    scores = {part: found for part in PARTS if (found := record.scores(part))}
    last = next((part for part in reversed(PARTS) if part in scores), "")
    intervals = record.metrics.get("intervals", {}).get(last, {})
    baselines = {name: each.get(last, {}) for name, each in (record.metrics.get("baselines") or {}).items()}
    names = dict.fromkeys(name for found in scores.values() for name in found)
    head = ["metric", *scores, *([f"95 % interval on {last}"] if intervals else []), *baselines]
    rows = []
    for name in names:
        ends = intervals.get(name)
        between = [None if ends is None else [plain(end) for end in ends]] if intervals else []
        others = [plain(each.get(name)) for each in baselines.values()]
        rows.append([name, *(plain(scores[part].get(name)) for part in scores), *between, *others])
    return {"head": head, "rows": rows}


def changed(record: Record) -> list[list[Any]]:
    """Returns the settings that are not the defaults of the run's options, each with its default.

    It composes the defaults, which takes half a second for the first run with such options.
    """
    words = tuple(f"{group}={option}" for group, option in record.choices.items() if isinstance(option, str))
    options, settings = _defaults(words)
    found = [
        [key, value, defaults[key]]
        for values, defaults in ((record.choices, options), (record.settings, settings))
        for key, value in values.items()
        if key in defaults and defaults[key] != value
    ]
    return [[plain(value) for value in each] for each in found]


@functools.lru_cache(maxsize=256)
def _defaults(words: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the options that are chosen if nothing is typed, and the settings of these options.

    Both are empty if an option is not among those that are shipped, such as a person's own.
    """
    try:
        (composed, faults), (plainly, _) = (Composer().check(each) for each in (words, ()))
        if composed is None or plainly is None or any("there is no option" in fault for fault in faults):
            return {}, {}
        options = choices_of(plainly.hydra.runtime.choices)
        del composed.hydra
        return options, settings_of(composed)
    except (ConfigError, *COMPOSITION_ERRORS):
        return {}, {}


def _commands(path: Path, record: Record) -> list[list[str]]:
    run = quoted(path)
    shown = [["Reproduce it", f"dltrain reproduce {run}"]]
    if record.status != "completed":
        return [["Go on", f"dltrain resume {run}"]]
    if (path / "model.keras").exists():
        shown.append(["Predict new rows", f"dltrain predict {run} --input new.csv"])
    return [*shown, ["Train for longer", f"dltrain resume {run} trainer.epochs={_longer(record)}"]]


def _longer(record: Record) -> int:
    epochs = record.settings.get("trainer.epochs")
    return 2 * epochs if isinstance(epochs, int) else 100


def history_of(path: Path, after: int = 0) -> dict[str, Any]:
    """Returns the columns of history.csv and its rows behind the first `after` ones."""
    rows = Record(path).history
    columns = list(rows[-1]) if rows else []
    return {"columns": columns, "rows": [[plain(row.get(name)) for name in columns] for row in rows[after:]]}


def log_of(path: Path) -> str:
    """Returns the end of the run's log."""
    try:
        return (path / "dltrain.log").read_text("utf-8", errors="replace")[-LOG_LETTERS:]
    except OSError:
        return ""


def small_curve(path: Path) -> list[float]:
    """Returns the monitored value of each epoch, at most a hundred of them."""
    record = Record(path)
    monitor = record.metrics.get("monitor") or record.facts.get("monitor") or "val_loss"
    values = [row[monitor] for row in record.history if isinstance(plain(row.get(monitor)), float)]
    every = max(1, len(values) // 100)
    return values[::every]


def comparison_details(shelf: Shelf, names: Sequence[str]) -> dict[str, Any]:
    """Returns several runs side by side, with the sentences on whether they differ by more than noise.

    Raises:
        ConfigError: If there are fewer than two runs, or one of them cannot be read.
    """
    paths = [shelf.directory(name, "run.json") for name in names]
    found = compare(*paths)
    sections = {
        title: {key: [plain(value) for value in values] for key, values in rows.items()}
        for title, rows in found.sections.items()
    }
    runs = [
        {
            "letter": letter,
            "name": shelf.name(record.path),
            "typed": " ".join(quoted(word) for word in record.facts.get("overrides") or []),
            "steps": record.facts.get("steps_per_epoch"),
            "seconds_per_epoch": record.facts.get("seconds_per_epoch"),
            "history": history_of(record.path),
        }
        for letter, record in found.records.items()
    ]
    return {"runs": runs, "sections": sections, "sentences": found.sentences}


def sweep_details(shelf: Shelf, name: str) -> dict[str, Any]:
    """Returns the jobs of a sweep: those that have ended, and those that run."""
    path = shelf.directory(name, "sweep.json")
    entries = Ledger(path).entries()
    record = _best(path)
    way = str(record.get("direction") or better_way(entries))
    keys = swept_keys(entries)
    order = {entry.job: place for place, entry in enumerate(ranked(entries, way))}
    found = standings(entries, record.get("objectives") or {}).settings
    like = like_the_best(found) if len(found) > 1 else None
    equal = {entry.job for each, same in zip(found, like or [], strict=False) if same for entry in each.entries}
    jobs = [
        {
            "job": entry.job,
            "run": shelf.name(path / entry.job),
            "status": entry.status,
            "rank": order.get(entry.job),
            "value": plain(entry.value),
            "settings": [settings_of_entry(entry).get(key) for key in keys],
            "metrics": {key: plain(value) for key, value in entry.metrics.items()},
            "epochs": entry.epochs,
            "seconds": plain(entry.seconds),
            "reason": entry.reason,
            "like_the_best": entry.job in equal if like is not None else None,
        }
        for entry in entries
    ]
    ended = {entry.job for entry in entries}
    return {
        "name": name,
        "typed": [quoted(word) for word in read_record(path)["words"]],
        "monitor": next((entry.monitor for entry in entries if entry.monitor), None) or "value",
        "direction": way,
        "keys": keys,
        "jobs": jobs,
        "running": _running(shelf, path, ended),
        "importance": importance(entries, way),
        "report": (path / "report.html").is_file(),
    }


def _best(path: Path) -> dict[str, Any]:
    try:
        return read_best(path)
    except ConfigError:  # there is none before the first job has ended
        return {}


def _running(shelf: Shelf, sweep: Path, ended: set[str]) -> list[dict[str, Any]]:
    found = []
    for directory in job_directories(sweep):
        if directory.relative_to(sweep).as_posix() in ended:
            continue
        try:
            record = Record(directory)
            last = record.history[-1] if record.history else {}
        except (ConfigError, ValueError, OSError):
            continue
        found.append(
            {
                "job": directory.name,
                "run": shelf.name(directory),
                "status": record.status,
                "typed": " ".join(quoted(word) for word in record.facts.get("overrides") or []),
                "epoch": int(last.get("epoch", 0)),
                "of": record.settings.get("trainer.epochs"),
            }
        )
    return list(itertools.islice(found, 100))
