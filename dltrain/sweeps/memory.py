"""Watches the memory of a process that runs many jobs, since TensorFlow keeps a few megabytes of each."""

from __future__ import annotations

import os
from pathlib import Path

WARM_UP_JOBS = 3  # the number of jobs after which all modules are loaded
MOST_GROWTH = 1.25  # the limit, in multiples of the memory after those jobs

# Whether a new process may replace this one, which is so only if this process is the command itself.
renewable = False
full = False
_levels: list[float] = []


def resident_megabytes() -> float:
    """Returns the memory of this process; 0 if the system does not tell."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0.0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def over_the_limit() -> bool:
    """Returns, after each job, whether this process has grown so much that a new one should continue."""
    global full
    _levels.append(resident_megabytes())
    full = renewable and len(_levels) > WARM_UP_JOBS and _levels[-1] > MOST_GROWTH * _levels[WARM_UP_JOBS - 1]
    return full
