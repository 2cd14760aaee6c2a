"""The benchmarks still run; what they measure is for people to read."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_the_guard_tells_a_ratio_and_how_sure_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    guard = importlib.import_module("guard")
    ratios = [1.01, 0.99, 1.02, 1.95, 0.98, 1.01]  # of which one pair ran beside other work
    middle, low, high, held = guard.interval([(2.0, 2.0 * ratio) for ratio in ratios])
    assert (round(middle, 6), round(low, 6), round(high, 6), round(held, 3)) == (1.01, 0.98, 1.95, 0.969)
    assert guard.interval([(1.0, 1.1)] * 4) == (1.1, 0.0, float("inf"), 1.0)
    _, low, high, held = guard.interval([(1.0, 1.0 + place / 100) for place in range(12)])
    assert (low, high, round(held, 3)) == (1.02, 1.09, 0.961)


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


@pytest.mark.slow
def test_all_models_of_a_table_answer_for_the_same_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{place / 7:.3f},{'yes' if place % 120 > 80 else 'no'},{place % 120}" for place in range(240)]
    (tmp_path / "own.csv").write_text("\n".join(["noise,bought,amount", *rows, ""]))
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    tables, run = importlib.import_module("tables"), subprocess.run

    def brief(words: list[str], **settings: Any) -> Any:  # a sweep that ends by its jobs, not by a clock
        words = [word for word in words if not word.startswith("search")]
        return run([*words, "trainer.epochs=5", "optimizer=adam,adamw"], **settings)

    monkeypatch.setattr(subprocess, "run", brief)
    words = ["--own", str(tmp_path / "own.csv"), "bought", "binary", "--folds", "2", "--repeats", "1"]
    words += ["--models", "tabular", "linear", "boosting", "best", "--set", "trainer.epochs=5"]
    monkeypatch.setattr(sys, "argv", ["tables.py", *words])
    tables.main()
    areas = re.findall(r"^  (\w+) +auc ([\d.]+)", capsys.readouterr().out, re.MULTILINE)
    assert [name for name, _ in areas] == ["tabular", "linear", "boosting", "best"]
    assert min(float(area) for _, area in areas) > 0.9, areas
