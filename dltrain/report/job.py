"""Pairs a setting of a sweep with the record of its first job."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import ConfigError
from dltrain.record.record import Record
from dltrain.report.svg import short
from dltrain.sweeps.ranking import settings_of
from dltrain.sweeps.standings import Setting

LEAST_EPOCHS = 10  # whose median time tells how much the times vary
SLOW_RATIO = 3.0  # for fewer epochs, and for runs of earlier versions, which recorded the fastest epoch alone
MOST_READ = 200  # jobs of which the files are read, the best first
LISTED = re.compile(r"\[(\d+)(?:, ?\1)*\]")  # [32,32,32]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecordedJob:
    """A setting of a sweep with the files of its first job."""

    words: Mapping[str, str]  # the swept keys and their values
    record: Record
    monitor: str  # the name of the value that orders the sweep
    value: float  # its mean
    place: int  # in the order of the sweep; 0 is the best

    @property
    def watched(self) -> str:
        """A column of history.csv: the monitor, or that of the run if epochs lack it, as for seconds."""
        own = str(self.record.metrics.get("monitor") or "val_loss")
        return self.monitor if self.record.history and self.monitor in self.record.history[0] else own

    @property
    def name(self) -> str:
        """The key with its value; of several keys, for which a legend has no room, the last word of each."""
        several = len(self.words) > 1
        names = {key: key.rpartition(".")[2] if several else key for key in self.words}
        return ", ".join(f"{names[key]} {short_value(value)}" for key, value in self.words.items())

    def course(self, name: str) -> Numbers:
        """Returns a column of history.csv."""
        return np.array([epoch.get(name, math.nan) for epoch in self.record.history])


def jobs_of(sweep: Path, found: Sequence[Setting], keys: Sequence[str]) -> list[RecordedJob]:
    """Returns the settings whose jobs can be read, of very many the best, in the order in which they were typed."""
    swept = [key for key in keys if key != "seed"]
    jobs = []
    for place, each in enumerate(found[:MOST_READ]):
        first = each.entries[0]
        words = settings_of(first)
        try:
            record = Record(sweep / first.job)
            if record.metrics:
                own = {key: words.get(key, "") for key in swept}
                jobs.append((first.job, RecordedJob(own, record, first.monitor or "val_loss", each.mean, place)))
        except ConfigError:
            continue
    return [job for _, job in sorted(jobs, key=lambda pair: (len(pair[0]), pair[0]))]


def numbers_of(jobs: Sequence[RecordedJob], key: str) -> list[float]:
    """Returns the distinct values of a key, sorted; empty if they are no numbers."""
    try:
        return sorted({float(job.words[key]) for job in jobs})
    except ValueError:
        return []


def differ_in_time(jobs: Sequence[RecordedJob]) -> bool:
    """Returns whether the epochs of the slowest job take longer than those of the quickest by more than noise.

    They do if the fastest of its epochs took longer than the median one of the quickest job.
    """
    times = [job.record.facts.get("seconds_per_epoch") or 0.0 for job in jobs]
    if not times or min(times) <= 0:
        return False
    quickest = times.index(min(times))
    record = jobs[quickest].record
    several = (record.metrics.get("epochs") or 0) >= LEAST_EPOCHS
    median = record.facts.get("median_seconds_per_epoch") if several else None
    return bool(max(times) > (median or SLOW_RATIO * times[quickest]))


def short_value(value: str) -> str:
    """Returns a value for a legend: of a long list of equal numbers how often the number stands there."""
    if LISTED.fullmatch(value) and value.count(",") > 1:
        return f"{value.count(',') + 1} x {value.strip('[]').split(',')[0]}"
    return short(value)
