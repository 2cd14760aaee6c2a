"""What goes wrong around a run: any table, a full disk, a read-only folder, a cut file, a clock that is set back."""

from __future__ import annotations

import gzip
import itertools
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dltrain.base.errors import DltrainError
from dltrain.cli.main import main
from dltrain.data.dataset import Dataset
from dltrain.data.table import load
from dltrain.record import run_directory

QUICK = ("model=linear", "trainer.epochs=1", "~callbacks.tensorboard", "~callbacks.progress", "quiet=true")

numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([1e308, -1e308, 5e-324, 1e39, -1e-40, 0.0, -0.0, 2.0**63]),
    st.integers(-5, 5),
)
words = st.one_of(
    st.text(max_size=8), st.sampled_from(["", "NA", "inf", "1,5", "=1+1", "\x1b[31m", "\u202e", "2020-01-01"])
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Up to 60 columns and 300 rows of anything, beside a target of classes, words or numbers."""
    rows = draw(st.one_of(st.integers(1, 60), st.integers(60, 300)))
    cells = [
        numbers,
        words,
        st.one_of(numbers, words),
        st.sampled_from("abc"),
        st.floats(-1, 1),
        st.booleans(),
        st.none(),
    ]
    few = [st.sampled_from("xy"), st.integers(0, 1), st.integers(0, 3), st.floats(-2, 2), numbers, words]
    width = draw(st.one_of(st.integers(1, 6), st.integers(7, 60)))
    # A few cells drawn and repeated: hundreds of rows of drawn cells would be too much for hypothesis.
    columns = {}
    for name in [
        "target",
        *draw(st.lists(st.text(min_size=1, max_size=5), min_size=width, max_size=width, unique=True)),
    ]:
        strategy = draw(st.sampled_from(few if name == "target" else cells))
        some = draw(st.lists(strategy, min_size=1, max_size=12))
        columns[name] = list(itertools.islice(itertools.cycle(some), rows))
    return columns


def check_any_table(folder: Path, columns: dict[str, list[Any]], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    number = len(list(folder.glob("*.csv")))
    table, run = folder / f"table_{number}.csv", folder / f"run_{number}"
    pd.DataFrame(columns).to_csv(table, index=False, encoding="utf-8", errors="replace")
    code = main(["dataset=csv", f"dataset.path='{table}'", "dataset.target=target", *QUICK, f"hydra.run.dir='{run}'"])
    error = capsys.readouterr().err
    assert "Traceback" not in error, columns
    assert "\x1b" not in error
    if code == 2:
        assert error.startswith("error: ")
        assert not run.exists()
        return
    status = json.loads((run / "run.json").read_text())["status"]
    assert (code, status) in ((0, "completed"), (1, "failed")), error
    if code == 1:
        assert error.startswith("error: ")
        assert not (run / "metrics.json").exists()
        return
    metrics = json.loads((run / "metrics.json").read_text())
    assert all(math.isfinite(metrics[part]["loss"]) for part in ("train", "validation", "test"))


RELAXED = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_numbers_at_both_ends_of_their_range(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = [-1.7976931348459658e308, 1e308]  # whose difference is none
    check_any_table(tmp_path, {"target": ["x", "y"] * 140, "end": ends * 140}, capsys)


@settings(RELAXED, max_examples=8)
@given(columns=tables())
def test_any_table(tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: dict[str, list[Any]]) -> None:
    check_any_table(tmp_path, columns, capsys)


@pytest.mark.slow
@settings(RELAXED, max_examples=120)
@given(columns=tables())
def test_many_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str], columns: dict[str, list[Any]]) -> None:
    check_any_table(tmp_path, columns, capsys)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Any]:
    """Mounts a folder of so many kilobytes, or one that cannot be written to."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount here")
        if done.returncode:
            pytest.skip("mounting is not allowed here")
        mounted.append(folder)
        return folder

    yield mount
    for each in mounted:
        subprocess.run(["umount", "--lazy", str(each)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="tmpfs is Linux' own")
class TestDisk:
    @pytest.mark.parametrize("kilobytes", [8, 24, 64, 160])
    def test_full(self, small_disk: Any, capsys: pytest.CaptureFixture[str], kilobytes: int) -> None:
        folder = small_disk(f"size={kilobytes}k")
        code = main(["dataset=wine", *QUICK, f"hydra.run.dir={folder / 'run'}"])
        error = capsys.readouterr().err
        assert code != 0
        assert "Traceback" not in error
        assert error.startswith("error: ")
        record = folder / "run" / "run.json"
        if record.exists():
            assert json.loads(record.read_text())["status"] != "completed"

    def test_read_only(self, small_disk: Any, capsys: pytest.CaptureFixture[str]) -> None:
        folder = small_disk("ro")
        assert main(["dataset=wine", *QUICK, f"hydra.run.dir={folder / 'run'}"]) in (1, 2)
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")
        assert "Read-only" in line


TABLE = pd.DataFrame({"a": [row / 7 for row in range(40)], "b": ["x", "y, z"] * 20, "target": [0, 1] * 20})


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_file_cut_anywhere(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".parquet":
        TABLE.to_parquet(whole)
    else:
        text = TABLE.to_csv(index=False).encode()
        whole.write_bytes(gzip.compress(text) if suffix == ".csv.gz" else text)
    content, refused = whole.read_bytes(), 0
    cuts = range(0, len(content), max(1, len(content) // 60))
    for cut in cuts:
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(content[:cut])
        try:
            found = load(
                **{"name": "csv", "path": str(path), "target": "target", "kinds": {}, "id_column": None},
                **{"separator": None, "encoding": None, "header": True, "missing_values": []},
                **{"size": [8, 8], "channels": 3, "corrupt": "refuse"},
            )
        except DltrainError:
            refused += 1
        else:
            assert isinstance(found, Dataset)
    # A text that is cut at the end of a line is a table; nothing else is.
    assert refused == len(cuts) if suffix != ".csv" else refused > 0


def test_clock_that_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start = time.time()
    ticks = itertools.count()
    monkeypatch.setattr(time, "time", lambda: start - 3_600 * next(ticks))
    hours = itertools.count()
    clock = SimpleNamespace(now=lambda zone: datetime.now(zone) - timedelta(hours=next(hours)))
    monkeypatch.setattr(run_directory, "datetime", SimpleNamespace(datetime=clock, UTC=UTC))
    assert main(["dataset=wine", *QUICK, f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run["status"] == "completed"
    assert run["finished"] < run["started"]
    assert run["seconds"] >= 0
    assert "Traceback" not in capsys.readouterr().err
