"""The benchmarks still run; what they measure is for people to read."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_the_guard_tells_a_ratio_and_how_sure_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    guard = importlib.import_module("guard")
    mean, low, high = guard.interval([(1.0, 1.1), (2.0, 2.2), (1.0, 1.1)])
    assert (round(mean, 6), round(low, 6), round(high, 6)) == (1.1, 1.1, 1.1)
    mean, low, high = guard.interval([(1.0, 2.0), (2.0, 1.0)])
    assert round(mean, 6) == 1
    assert low < 0.1 < 10 < high
    assert guard.interval([(1.0, 2.0)]) == (2.0, 0.0, float("inf"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ("fit.py --epochs 2 --repeats 1", "of fit's"),
        ("api.py --repeats 1 dataset=wine report=false", "ms of the CPU"),
        ("sweep.py --jobs 3 --epochs 2 --first", "3 jobs, 2 epochs, wall"),
        ("peers.py --only wine --epochs 2 --repeats 1", "dltrain's phases"),
        ("cross_validation.py --epochs 2 --repeats 1", "same numbers alone and side by side: True"),
    ],
)
def test_runs(words: str, printed: str) -> None:
    script, *rest = words.split()
    done = subprocess.run([sys.executable, str(BENCHMARKS / script), *rest], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout
