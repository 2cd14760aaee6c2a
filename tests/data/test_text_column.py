"""Texts in a file are those in memory, whatever is asked of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dltrain.data import arrow_files, text_column, texts
from dltrain.data.check_parts import cell_hashes
from dltrain.data.dataset import Dataset
from dltrain.data.kinds import infer_meaning
from dltrain.data.raw_table import RawTable, join
from dltrain.data.table import load
from dltrain.data.text_column import TextColumn, TextSpool

WORDS = ["good", "film", "bad", "plot", "caf\u00e9", "cafe\u0301", "x" * 90, "\u00e4\u00f6"]
ROWS = 300


def _texts() -> list[str | None]:
    drawn = np.random.default_rng(0)
    made: list[str | None] = [" ".join(drawn.choice(WORDS, drawn.integers(5, 30))) for _ in range(ROWS)]
    made[3:5], made[7], made[11] = ["", "NA"], None, made[12]
    return made


def _to_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(text_column, "MOST_IN_MEMORY", 0)
    monkeypatch.setattr(arrow_files, "MOST_IN_MEMORY", -1)
    monkeypatch.setattr(arrow_files, "LEAST_ROWS", 64)
    monkeypatch.setattr(arrow_files, "TEXT_AT_ONCE", 4_096)
    monkeypatch.setattr(text_column, "AT_ONCE", 1_000)
    monkeypatch.setattr(text_column, "CELLS_AT_ONCE", 17)


def _load(path: Path) -> Dataset:
    return load(
        name="csv", path=str(path), target="answer", kinds={}, id_column=None, separator=None, encoding=None,
        header=True, missing_values=[], size=None, channels=None, corrupt="refuse", column_rules=2,
    )  # fmt: skip


def _same(one: Dataset, other: Dataset) -> None:
    assert one.sha256() == other.sha256()
    assert (one.kinds, one.readings, one.notes) == (other.kinds, other.readings, other.notes)
    assert (cell_hashes(one) == cell_hashes(other)).all()
    for name, cells in one.columns.items():
        assert list(cells) == list(other.columns[name])


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_the_same_from_a_file(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.random.default_rng(1)
    table = pa.table(
        {
            "text": _texts(),
            "short": drawn.choice(["a", "b", "c d"], ROWS),
            "number": drawn.random(ROWS),
            "answer": drawn.choice(["yes", "no"], ROWS),
        }
    )
    path = tmp_path / f"table.{suffix}"
    table.to_pandas().to_csv(path, index=False) if suffix == "csv" else pq.write_table(table, path)
    in_memory = _load(path)
    _to_file(monkeypatch, tmp_path)
    in_file = _load(path)
    assert in_file.kinds["text"] == "text"
    assert isinstance(in_file.columns["text"], TextColumn)
    assert not isinstance(in_memory.columns["text"], TextColumn)
    _same(in_memory, in_file)
    train = np.random.default_rng(2).permutation(ROWS)[:200]
    _same(in_memory.decided(train).take(train), in_file.decided(train).take(train))


def test_a_folder_of_texts_is_the_same_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, text in enumerate(_texts()[:40]):
        file = tmp_path / "folder" / ("good" if place % 3 else "bad") / f"{place}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text or "", encoding="utf-8")
    in_memory = texts.load(name="texts", path=str(tmp_path / "folder"), encoding=None)
    _to_file(monkeypatch, tmp_path)
    in_file = texts.load(name="texts", path=str(tmp_path / "folder"), encoding=None)
    assert isinstance(in_file.columns["text"], TextColumn)
    _same(in_memory, in_file)


@pytest.mark.parametrize("numbers", [[1.0, 2.5], [np.nan, np.nan], [None, None]])
def test_blocks_without_text_join_as_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: list[float | None]
) -> None:
    cells = [pa.array(["a b", None, "", "c"]), pa.array(numbers, pa.float64()), pa.array(["d"])]
    for order in ([0, 1, 2], [1, 0, 2], [0, 2, 1]):
        blocks = [RawTable("t", {"x": pa.chunked_array([cells[place]])}) for place in order]
        wanted = join(blocks).columns["x"].to_pylist()
        with monkeypatch.context() as patched:
            _to_file(patched, tmp_path)
            assert join(blocks).columns["x"].to_pylist() == wanted


def test_rows_are_taken_as_of_an_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _to_file(monkeypatch, tmp_path)
    spool = TextSpool()
    spool.append(pa.array(_texts()).slice(2))
    column = TextColumn(spool.chunks()[0])
    array = np.array([text or "" for text in _texts()[2:]], object)
    assert (np.asarray(column) == array).all()
    assert (column == "").tolist() == (array == "").tolist()
    assert column[5] == array[5]
    assert column[-1] == array[-1]
    for rows in (slice(10, 90, 3), np.array([7, 3, 3, 250]), array == "", np.zeros(0, np.intp)):
        assert list(column[rows]) == list(array[rows])
    assert isinstance(column[:200], TextColumn)
    assert isinstance(column[:2], np.ndarray)
    assert list(column[50:250][np.array([4, 2])]) == list(array[[54, 52]])


@pytest.mark.parametrize("words", [["one"], ["a", "few", "more", "words", "than", "four"], ["1"], ["pictures/a.png"]])
def test_long_cells_mean_the_same_abridged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    cells = [f"{'0' * place}{' '.join(words)}" for place in range(180, 260)]
    table = RawTable("t", {"x": pa.chunked_array([pa.array(cells)])})
    in_memory = infer_meaning(table, "x")
    _to_file(monkeypatch, tmp_path)
    in_file = infer_meaning(join([table]), "x")
    assert (in_memory.kind, in_memory.reason) == (in_file.kind, in_file.reason)
