"""Keeps sweep.jsonl: a line for each finished job of a sweep, written by the job itself, wherever it ran."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from dltrain.base.files import replace_file
from dltrain.base.lock import is_locked
from dltrain.record.record import Record, read_yaml
from dltrain.record.state_file import can_go_on
from dltrain.sweeps.clock import ended_by
from dltrain.sweeps.ledger_line import content_of, line_of

logger = logging.getLogger("dltrain")

HYDRA = ".hydra"  # the folder of Hydra's record in the directory of each job
WRITING_SECONDS = 0.1  # in which a line is written
FINISHED = ("completed", "pruned", "failed")
MOST_READ = 8  # ledgers whose lines a process keeps

_told: set[tuple[Path, bytes]] = set()  # damaged lines of which this process has warned
# The entry of each line of a ledger that this process has read, since every job reads the lines of all before it.
_read: dict[Path, dict[bytes, Entry]] = {}


@dataclass(frozen=True)
class Entry:
    """The result of one job."""

    job: str  # its directory, relative to the sweep's
    key: str = ""  # the fingerprint of its resolved config
    data: str | None = None  # the hash of its data; None if it failed before loading
    overrides: list[str] = field(default_factory=list)  # the words that define it
    status: str = "failed"  # completed, pruned or failed
    monitor: str | None = None
    direction: str | None = None  # `min` or `max`, of the monitored value; None if unknown
    value: float | None = None  # the monitored value of the best epoch, or its mean over folds or seeds
    metrics: dict[str, float | None] = field(default_factory=dict)  # the metrics of the validation part, by name
    # For each metric, its value in each fold or seed, by name; empty for a single split
    repeats: dict[str, dict[str, float]] = field(default_factory=dict)
    overlap: float | None = None  # the ratio of scored rows to train rows in a fold of a cross-validation
    epochs: int | None = None
    best_epoch: int | None = None
    parameters: int | None = None  # the number of trainable parameters
    seconds: float | None = None
    reason: str | None = None  # why it failed, or what it missed
    ended_by: str | None = None  # `time` or `Ctrl-C` if that ended its training

    @classmethod
    def of(cls, directory: Path, sweep: Path, error: BaseException | str | None = None) -> Entry:
        """Reads the files of a job that has ended; `error` is the reason if they tell none."""
        job, overrides = directory.relative_to(sweep).as_posix(), _overrides(directory)
        lacking = str(error or "the run did not complete")
        if not (directory / "run.json").is_file():
            return cls(job, overrides=overrides, reason=lacking)
        record = Record(directory)
        facts, metrics = record.facts, record.metrics
        status = facts["status"] if facts.get("status") in FINISHED else "failed"
        reason = str(error) if error else None
        if status != "completed":
            reason = str(facts.get("error") or lacking)
        monitor = metrics.get("monitor") or facts.get("monitor")
        return cls(
            job=job,
            key=str(facts.get("config_sha256", "")),
            data=(facts.get("data") or {}).get("sha256"),
            overrides=overrides,
            status=status,
            monitor=monitor,
            direction=record.traits(monitor).direction if monitor else None,
            value=metrics.get("best_value"),
            metrics=record.scores("validation"),
            repeats=_repeats(record),
            overlap=_overlap(record),
            epochs=metrics.get("epochs", len(record.history) or None),
            best_epoch=metrics.get("best_epoch"),
            parameters=facts.get("trainable_parameters"),
            seconds=facts.get("seconds"),
            reason=reason,
            ended_by=ended_by(directory),
        )


class Ledger:
    """The finished jobs of the sweep in a directory."""

    def __init__(self, sweep: Path) -> None:
        self.sweep = sweep
        self.path = sweep / "sweep.jsonl"

    def entries(self) -> list[Entry]:
        """Returns the last line of each job, in the order of the jobs; damaged lines are passed over, and told once."""
        found: dict[str, Entry] = {}
        damaged = set()
        before, lines = _read.get(self.path, {}), {}
        for line in self._content().split(b"\n"):
            entry = before.get(line) or _entry_of(line)
            if entry is not None:
                found[entry.job] = lines[line] = entry
            elif line.strip():
                damaged.add((self.path, line))
        if self.path not in _read and len(_read) >= MOST_READ:
            _read.clear()
        _read[self.path] = lines
        if damaged - _told:
            _told.update(damaged)
            logger.warning(
                "'%s': lines passed over because they are damaged: %d. Jobs that no other line names are read from "
                "their directories, or run again.",
                self.path,
                len(damaged),
            )
        return sorted(found.values(), key=lambda entry: natural(entry.job))

    def _content(self) -> bytes:
        content = self.path.read_bytes() if self.path.exists() else b""
        if content and not content.endswith(b"\n"):
            time.sleep(WRITING_SECONDS)  # another process may be at the middle of a line
            content = self.path.read_bytes()
        return content

    def append(self, entry: Entry) -> None:
        """Adds a whole line, also when jobs in several processes end at once."""
        line = line_of(asdict(entry))
        with self.locked(), self.path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read() != b"\n":
                    line = b"\n" + line  # after a line that a kill cut short
            file.write(line)  # goes on until all of it is written, unlike os.write
            file.flush()
            os.fsync(file.fileno())

    def gather(self, jobs: Sequence[str] | None = None) -> list[Entry]:
        """Adds jobs that were killed between their end and their line, and returns all entries.

        `jobs` are those that may lack their line; None looks for them in the whole folder of the sweep.
        """
        for directory in self._without_line(jobs):
            if _status(directory) in FINISHED:
                self.append(Entry.of(directory, self.sweep))
        return self.entries()

    def finished(self, directory: Path) -> Entry | None:
        """Returns the entry of a job that has ended, which is added if it lacks its line."""
        if _status(directory) not in FINISHED:
            return None
        if self._without_line([directory.relative_to(self.sweep).as_posix()]):
            self.append(Entry.of(directory, self.sweep))
        return next(entry for entry in self.entries() if self.sweep / entry.job == directory)

    def remove_unfinished(self) -> None:
        """Removes the directories of interrupted jobs without a saved state, so that they start again.

        A directory that a process still holds stays: its next job waits for that process.
        """
        for directory in self._without_line():
            if not can_go_on(directory) and not is_locked(directory):
                shutil.rmtree(directory)

    def _without_line(self, jobs: Sequence[str] | None = None) -> list[Path]:
        """Returns the directories of those jobs, or of all, that are not in the ledger."""
        known = {self.sweep / entry.job for entry in self.entries()}
        places = job_directories(self.sweep) if jobs is None else [self.sweep / job for job in jobs]
        return [directory for directory in places if directory not in known]

    def forget_failed(self) -> None:
        """Removes the failed jobs and their directories, so that they run again."""
        failed = [entry.job for entry in self.entries() if entry.status == "failed"]
        with self.locked():
            kept = [entry for entry in self.entries() if entry.job not in failed]
            with replace_file(self.path) as path:
                path.write_bytes(b"".join(line_of(asdict(entry)) for entry in kept))
        for job in failed:
            shutil.rmtree(self.sweep / job, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lets one process at a time write the files that all jobs share."""
        from filelock import FileLock

        with FileLock(self.sweep / ".ledger.lock", thread_local=False):
            yield


def job_directories(sweep: Path) -> list[Path]:
    """Returns the directories in which Hydra started jobs of a sweep, finished or not."""
    found = []
    for folder, folders, _ in os.walk(sweep):
        if HYDRA in folders and Path(folder) != sweep:
            found.append(Path(folder))
            folders.clear()  # no job lies in another
    return sorted(found, key=lambda path: natural(path.relative_to(sweep).as_posix()))


def _entry_of(line: bytes) -> Entry | None:
    content = content_of(line)
    known = {each.name for each in fields(Entry)}
    return None if content is None else Entry(**{name: value for name, value in content.items() if name in known})


def natural(name: str) -> tuple[bool, int, str]:
    """Returns a key that sorts 2 before 10."""
    return (not name.isdigit(), int(name) if name.isdigit() else 0, name)


def _status(directory: Path) -> str | None:
    file = directory / "run.json"
    try:
        return str(json.loads(file.read_text("utf-8")).get("status"))
    except (OSError, ValueError):
        return None


def _overrides(directory: Path) -> list[str]:
    file = directory / HYDRA / "overrides.yaml"
    return [str(each) for each in read_yaml(file)] if file.exists() else []


def _repeats(record: Record) -> dict[str, dict[str, float]]:
    """Returns each metric of each fold or seed, if the run has several."""
    values: dict[str, dict[str, float]] = {}
    for kind, entries in record.repeats("validation").items():
        for number, entry in entries.items():
            for name in record.scores("validation"):
                if isinstance(value := entry.get(name), (int, float)):
                    place = f"{'cross_validation' if kind == 'folds' else kind} {number}"
                    values.setdefault(name, {})[place] = float(value)
    return {name: each for name, each in values.items() if len(each) > 1}


def _overlap(record: Record) -> float | None:
    pairs = [(fold.get("rows"), fold.get("train_rows")) for fold in record.repeats()["folds"].values()]
    ratios = [rows / trained for rows, trained in pairs if rows and trained]
    return sum(ratios) / len(ratios) if ratios else None
