from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.dataset import Dataset
from dltrain.data.split_columns import group_numbers
from dltrain.data.table import load

TRAIN = np.arange(60)
OTHER = 60  # the line of a row that is none of the train rows


def read(folder: Path, columns: dict[str, list[Any]], rules: Literal[1, 2] = 2, **keys: Any) -> Dataset:
    columns = {**columns, "y": [row % 7 + 0.5 for row in range(len(next(iter(columns.values()))))]}
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    defaults = {"kinds": {}, "id_column": None, "separator": None, "encoding": None, "header": True}
    images = {"size": 64, "channels": None, "corrupt": "skip"}
    return load(
        name="csv", path=str(path), target="y", missing_values=[], **{**defaults, **images, **keys}, column_rules=rules
    )


def edge(changed: dict[int, str]) -> dict[str, list[Any]]:
    """Columns of 100 rows whose kind one more cell could change, some cells of the first one replaced."""
    words = [f"k{row % 20}" for row in range(100)]
    columns: dict[str, list[Any]] = {"words": words, "number": [row * 0.25 for row in range(100)]}
    columns["constant"] = ["same"] * 100
    columns["truth"] = ["true" if row % 3 else "false" for row in range(100)]
    columns["whole"] = [f"{row % 4}.0" for row in range(100)]
    columns["sentence"] = ["a film of the kind that I like" if row % 2 else "no" for row in range(100)]
    columns["day"] = [f"2020-01-{row % 28 + 1:02}" for row in range(100)]
    for line, cell in changed.items():
        for name in columns:
            if name not in ("number", "whole", "day"):
                columns[name][line] = cell
    return columns


@pytest.mark.parametrize("cell", ["new", "", "7", "a film of the kind that nobody likes", "2021-01-01"])
def test_a_row_outside_the_train_rows_changes_nothing_that_the_model_learns_from(tmp_path: Path, cell: str) -> None:
    before = read(tmp_path, edge({})).decided(TRAIN)
    after = read(tmp_path, edge({OTHER: cell})).decided(TRAIN)
    assert dict(before.kinds) == dict(after.kinds)
    assert {name: list(cells) for name, cells in before.take(TRAIN).columns.items()} == {
        name: list(cells) for name, cells in after.take(TRAIN).columns.items()
    }
    assert before.notes == after.notes
    # The same cell in a train row does change it.
    assert read(tmp_path, edge({0: "new"})).decided(TRAIN).kinds != before.kinds


def test_earlier_runs_decide_by_all_rows(tmp_path: Path) -> None:
    data = read(tmp_path, edge({OTHER: "new"}), rules=1)
    assert "words" not in data.decided(TRAIN).columns
    assert any("words (21 different values)" in note for note in data.notes)


@pytest.mark.parametrize("rows", [TRAIN, np.arange(0, 100, 3), np.random.default_rng(0).permutation(100)[:70]])
def test_a_count_of_the_rows_is_known_by_the_train_rows_in_any_order(tmp_path: Path, rows: Any) -> None:
    shuffled = np.random.default_rng(1).permutation(100)
    columns = {"count": range(100), "shuffled": shuffled, "tens": range(0, 1000, 10), "x": np.arange(100) / 8}
    data = read(tmp_path, {name: list(cells) for name, cells in columns.items()}).decided(rows)
    assert list(data.columns) == ["tens", "x"] if len(rows) > 50 else ["shuffled", "tens", "x"]
    assert any("count (counts the rows)" in note for note in data.notes)


def test_drawn_rows_decide_as_the_whole_table_with_the_same_train_rows(tmp_path: Path) -> None:
    data = read(tmp_path, edge({OTHER: "new"}))
    drawn = np.r_[0:70:2, 71:100]
    train = np.arange(30)
    one, other = data.take(drawn).decided(train), data.decided(drawn[train])
    assert one.kinds == other.kinds
    assert one.sha256() == other.take(drawn).sha256()


def test_a_cell_that_does_not_fit_the_train_rows_is_named_with_both_ways_out(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {"x": [str(row % 5) for row in range(100)], "z": [row / 4 for row in range(100)]}
    columns["x"][OTHER] = "none given"
    with pytest.raises(DataError, match=r"line 62 holds 'none given'.*missing_values.*'dataset.kinds=\{x: category\}'"):
        read(tmp_path, columns).decided(TRAIN)


def test_no_feature_in_the_train_rows_is_refused(tmp_path: Path) -> None:
    data = read(tmp_path, {"x": ["same"] * 60 + ["other"] * 40})
    with pytest.raises(DataError, match=r"no feature is left.*x \(one value alone\)"):
        data.decided(TRAIN)


def test_rows_can_be_grouped_by_a_column_that_is_ignored(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {"visit_id": [row // 5 for row in range(100)], "x": [row / 8 for row in range(100)]}
    data = read(tmp_path, columns).take(np.arange(0, 100, 2))
    assert "visit_id" not in data.columns
    assert len(np.unique(group_numbers(data, "visit_id", "split.column"))) == 20
    with pytest.raises(ConfigError, match=r"split.column: column 'y' of table is its target; expected another"):
        group_numbers(data, "y", "split.column")
    # Once it is decided, ids that repeat are kept, since a check looks at them.
    assert list(data.decided(np.arange(40)).other_columns) == ["visit_id"]
    assert "visit_id" not in data.without("visit_id").decided(np.arange(40)).other_columns


def test_a_column_that_is_left_out_is_no_feature_of_any_rows(tmp_path: Path) -> None:
    data = read(tmp_path, {"a/b": [f"k{row % 5}" for row in range(100)], "x": [row / 8 for row in range(100)]})
    assert set(data.columns) == {"a_b", "x"}
    left = data.without("a/b")
    assert set(left.columns) == set(left.decided(TRAIN).columns) == {"x"}
    assert len(np.unique(group_numbers(left, "a/b", "split.column"))) == 5
    with pytest.raises(DataError, match="no feature column is left"):
        left.without("x")


@pytest.mark.parametrize(("written", "typed"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_both_unicode_spellings_of_a_name_are_one(tmp_path: Path, written: Any, typed: Any) -> None:
    columns: dict[str, list[Any]] = {"größe": [row % 3 for row in range(20)], "zähler": [row / 8 for row in range(20)]}
    spelled = {normalize(written, name): cells for name, cells in columns.items()}
    data = read(tmp_path, spelled, kinds={normalize(typed, "größe"): "category"}, id_column=normalize(typed, "zähler"))
    assert dict(data.kinds) == {"größe": "category"}
    assert len(set(data.row_ids)) == 20


def test_a_number_that_only_another_mark_reads_is_named_with_that_mark(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {"x": [f'"{row % 5 + 1},{row + 100}"' for row in range(100)], "z": [*range(100)]}
    columns["x"][OTHER] = '"2,5"'
    with pytest.raises(DataError, match=r"holds '2,5'\. If that is a number: 'dataset\.decimal=\{x: comma\}'\."):
        read(tmp_path, columns).decided(TRAIN)
    data = read(tmp_path, columns, decimal={"x": "comma"}).decided(TRAIN)
    assert data.columns["x"][[0, OTHER]].tolist() == [1.1, 2.5]
