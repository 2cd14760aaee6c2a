"""How much memory a warm process holds: TensorFlow keeps a few megabytes of each job, whatever is freed."""

from __future__ import annotations

import os
from pathlib import Path

SETTLED = 3  # jobs after which all that is used is loaded
MOST = 1.25  # times the level after them

# Whether a fresh process may take the place of this one: only where the process is the command itself.
renewable = False
full = False
_levels: list[float] = []


def resident_megabytes() -> float:
    """The memory of this process; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0.0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def over_the_limit() -> bool:
    """Called after each job: whether this process has grown so much that a fresh one should go on."""
    global full
    _levels.append(resident_megabytes())
    full = renewable and len(_levels) > SETTLED and _levels[-1] > MOST * _levels[SETTLED - 1]
    return full
