"""Keeps the minutes of a search: how many are spent, over all its starts, and until when a job may train."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dltrain.base.files import replace_file

FILE = "clock.json"
END = "time_limit.json"  # in the directory of a training that the clock or Ctrl-C ended
START_SECONDS = 3.0  # from the start of the command to that of the clock

now = time.time  # replaced in tests; jobs in other processes read the same clock


def is_best(config: DictConfig) -> bool:
    """Returns whether the config is of a search that ends by a clock."""
    return config.search is not None and config.search.get("minutes") is not None


class Clock:
    """The clock of a search in the directory of its sweep; `minutes` are those of all starts together."""

    def __init__(self, sweep: Path, minutes: float) -> None:
        self.path = sweep / FILE
        self.seconds = minutes * 60
        self._before = float(_read(self.path).get("spent", 0.0)) + START_SECONDS
        self._began = now()
        self._limits: dict[str, dict[str, float]] = {}
        self.save()

    def spent(self) -> float:
        """The seconds that are spent."""
        return self._before + now() - self._began

    def left(self) -> float:
        """The seconds that are left; negative once the minutes are over."""
        return self.seconds - self.spent()

    def allow(self, job: str, seconds: float, each: float) -> None:
        """Writes for how many seconds from now a job may train, and each of its folds."""
        self._limits[job] = {"until": now() + seconds, "each": each}
        self.save()

    def save(self) -> None:
        """Writes what is spent."""
        content = {"spent": round(self.spent(), 3), "jobs": self._limits}
        with replace_file(self.path) as path:
            path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def train_until(sweep: Path, job: str) -> float | None:
    """Returns the time until which a training of a job that begins now may go on, as `now` counts; None without end."""
    limit = dict(_read(sweep / FILE).get("jobs") or {}).get(job)
    return None if limit is None else min(float(limit["until"]), now() + float(limit["each"]))


def write_end(training: Path, epoch: int, why: str) -> None:
    """Records which epoch of a training was its last, and what ended it: time or Ctrl-C."""
    with replace_file(training / END) as path:
        path.write_text(json.dumps({"epoch": epoch, "ended_by": why}) + "\n", encoding="utf-8")


def last_epoch(training: Path) -> int | None:
    """Returns the epoch with which a training ends; None if nothing but its epochs and its patience ends it."""
    epoch = _read(training / END).get("epoch")
    return None if epoch is None else int(epoch)


def ends(run: Path) -> list[Path]:
    """Returns the files that say how a run or its folds were ended, by which a repetition ends as they did."""
    return [file for file in (run / END, *sorted(run.glob(f"*/*/{END}"))) if file.exists()]


def ended_by(run: Path) -> str | None:
    """Returns what ended a run, or one of its folds, before its epochs or its patience did; None if nothing."""
    return next((str(_read(file).get("ended_by")) for file in ends(run)), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError):
        return {}
