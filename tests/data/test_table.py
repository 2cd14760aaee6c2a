import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.dataset import Dataset
from dltrain.data.table import input_names, load

ROWS = "id,age,city,joined,note,code\n" + "".join(
    f"{row + 7},{20 + row % 9}.5,{['Rome', 'Oslo'][row % 2]},2020-01-{row % 28 + 1:02},"
    f"a film that I liked {row},x{row}q\n"
    for row in range(60)
)


def read(path: Path, **keys: object) -> Dataset:
    defaults: dict[str, object] = {
        "name": "csv",
        "kinds": {},
        "id_column": None,
        "separator": None,
        "encoding": None,
        "header": True,
        "missing_values": [],
        "size": 64,
        "channels": None,
        "corrupt": "skip",
    }
    return load(path=str(path), **{**defaults, **keys})  # type: ignore[arg-type]


def write(folder: Path, text: str, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def real(*parts: str) -> Path:
    folder = os.environ.get("DLTRAIN_TEST_DATA")
    if folder is None:
        pytest.skip("DLTRAIN_TEST_DATA names no folder of real files")
    path = Path(folder, *parts)
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return path


def test_kinds_are_inferred_and_noted(tmp_path: Path) -> None:
    data = read(write(tmp_path, ROWS), target="age")
    assert data.name == "people"
    assert dict(data.kinds) == {"city": "category", "note": "text"}
    assert data.target["age"].dtype == np.float64
    ignored = next(note for note in data.notes if note.startswith("ignored"))
    assert "id (an identifier by its name)" in ignored
    assert "joined (dates)" in ignored
    assert "code (nearly all values differ)" in ignored
    assert "separator: comma, 6 columns." in data.notes
    assert list(data.row_ids[:2]) == [0, 1]


def test_overrides_and_row_ids(tmp_path: Path) -> None:
    data = read(write(tmp_path, ROWS), target="age", id_column="id", kinds={"code": "category", "note": "ignore"})
    assert data.kinds["code"] == "category"
    assert "note" not in data.columns
    assert data.row_ids[0] == 7
    assert data.row_ids.dtype == np.int64


def test_words_keep_leading_zeros_and_whole_numbers_lose_the_point(tmp_path: Path) -> None:
    path = write(tmp_path, "zip,grade,y\n007,1.0,1\n012,2.0,0\n,,1\n")
    data = read(path, target="y", kinds={"zip": "category", "grade": "category"})
    assert list(data.columns["zip"]) == ["007", "012", ""]
    assert list(data.columns["grade"]) == ["1", "2", ""]


def test_booleans_are_categories_in_any_spelling(tmp_path: Path) -> None:
    data = read(write(tmp_path, "a,b,y\ntrue,TRUE,false\nfalse,,true\ntrue,FALSE,\n"), target="y")
    assert list(data.columns["a"]) == ["True", "False", "True"]
    assert list(data.columns["b"]) == ["True", "", "False"]
    assert list(data.target["y"]) == ["False", "True", None]


def test_missing_targets_stay(tmp_path: Path) -> None:
    data = read(write(tmp_path, "x,word,number\n0.5,yes,1\n2.5,,2\n1.0,no,\n"), target=["word", "number"])
    assert list(data.target["word"]) == ["yes", None, "no"]
    assert np.isnan(data.target["number"][2])
    assert list(data.columns) == ["x"]


def test_class_numbers_become_words_on_request(tmp_path: Path) -> None:
    data = read(write(tmp_path, "x,y\n0.5,1\n2.5,2\n"), target="y", kinds={"y": "category"})
    assert list(data.target["y"]) == ["1", "2"]


@pytest.mark.parametrize("missing", ["?", "-999"])
def test_missing_words(tmp_path: Path, missing: str) -> None:
    path = write(tmp_path, f"x,y\n{missing},1\n2.5,2\n1.5,3\n")
    data = read(path, target="y", missing_values=[missing])
    np.testing.assert_array_equal(data.columns["x"], [np.nan, 2.5, 1.5])


@pytest.mark.parametrize("suffix", ["parquet", "csv", "csv.gz", "tsv"])
def test_the_same_table_from_every_format_has_the_same_hash(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {
            "x": [0.1, 1 / 3, None],
            "whole": [4, 5, 9],
            "flag": [True, False, True],
            "city": ["Rome", None, "Oslo"],
            "y": ["a", "b", "a"],
        }
    )
    path = tmp_path / f"same.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    expected = write(
        tmp_path,
        "x,whole,flag,city,y\n0.1,4,True,Rome,a\n0.3333333333333333,5,False,,b\n,9,True,Oslo,a\n",
    )
    data = read(path, target="y", kinds={"city": "category"})
    assert data.name == "same"
    assert data.sha256() == read(expected, target="y", kinds={"city": "category"}).sha256()


def test_parquet_keeps_its_index_as_a_column_and_its_dates_and_lists_out(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "x": [0.5, 1.5, 0.5],
            "when": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-03-01"]),
            "vector": [[1, 2], [3], []],
            "grade": pd.Categorical(["1", "2", "1"]),
            "y": [1, 0, 1],
        },
        index=pd.Index(["r", "s", "t"], name="key"),
    )
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    data = read(path, target="y", id_column="key")
    assert list(data.row_ids) == ["r", "s", "t"]
    assert dict(data.kinds) == {"x": "numeric", "grade": "category"}
    assert any("when (dates)" in note and "vector (holds list values)" in note for note in data.notes)


def test_a_slash_in_a_name_is_replaced(tmp_path: Path) -> None:
    data = read(write(tmp_path, "a/b,a_b,y\n0.5,1.5,1\n0.7,2.5,0\n"), target="y")
    assert list(data.columns) == ["a_b_", "a_b"]
    assert list(data.columns["a_b_"]) == [0.5, 0.7]
    assert any(note.startswith("renamed: a/b to a_b_") for note in data.notes)


def test_input_names_differ() -> None:
    assert input_names(["a/b", "a_b", "c"]) == {"a/b": "a_b_", "a_b": "a_b", "c": "c"}


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, "x,y\n0.5,1\n0.7,0\n")
    assert len(read(Path("~/people.csv"), target="y")) == 2


@pytest.mark.parametrize(
    ("text", "keys", "message"),
    [
        ("x,y\n1,2\n", {"target": "z"}, r"dataset.target: people.csv has no column 'z'"),
        ("x,label\n1,2\n", {"target": "lable"}, "Did you mean 'label'"),
        ("x,y\n1,2\n", {"target": "y", "separator": "tab"}, "one column alone: see dataset.separator"),
        ("x,y\n1,2\n", {"target": "y", "kinds": {"xx": "numeric"}}, "dataset.kinds.*'xx'"),
        ("x,y\n1,2\n", {"target": "y", "id_column": "i"}, "dataset.id_column.*'i'"),
        (
            "k,x,y\na,1.5,2\nb,2.5,3\na,3.5,4\n",
            {"target": "y", "id_column": "k"},
            "'a' stands in .*line 2 .*line 4",
        ),
        ("k,x,y\na,1.5,2\n,2.5,3\n", {"target": "y", "id_column": "k"}, "line 3 has no value"),
        ("x,y\n1.5,2\n\nbad,3\n", {"target": "y", "kinds": {"x": "numeric"}}, "line 4 holds 'bad'"),
        ('x,y\n"a\nb",2\nc,3\n', {"target": "y", "kinds": {"x": "numeric"}}, "line 2 holds 'a\nb'"),
        ("x,y\n1.5,2\n-inf,3\n", {"target": "y"}, "Column 'x' has an infinite value in people.csv line 3"),
        ("x,y\n1.5,2\n2.5,1e999\n", {"target": "y"}, "Column 'y' has an infinite value in people.csv line 3"),
        ("x,y\n1.5,\n2.5,\n", {"target": "y"}, "target 'y' has no value in any row"),
        (
            "id,y\n1,2\n2,3\n5,5\n",
            {"target": "y"},
            r"no feature is left beside the target. ignored: id \(an identifier",
        ),
    ],
)
def test_faults_of_columns(tmp_path: Path, text: str, keys: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, text), **keys)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kinds": {"x": "numerical"}}, "dataset.kinds.x=numerical is not a kind. Did you mean 'numeric'"),
        ({"kinds": {"y": "text"}}, "'y' is the target"),
        ({"kinds": {"x": "numeric"}, "id_column": "x"}, "dataset.kinds.x has no effect"),
        ({"target": []}, "empty list"),
        ({"target": ["y", "y"]}, "names 'y' twice"),
        ({"id_column": "y"}, "is the target as well"),
        ({"separator": "semicolons"}, "Did you mean 'semicolon'"),
        ({"encoding": "utf8000"}, "not a known text encoding"),
    ],
)
def test_faults_of_keys(tmp_path: Path, keys: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(write(tmp_path, "x,y\n1.5,2\n2.5,3\n"), **{"target": "y", **keys})


def test_keys_without_effect_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"x": [1.5], "y": [2]}).to_parquet(path)
    with pytest.raises(ConfigError) as caught:
        read(path, target="y", separator="comma", encoding="utf-8", header=False)
    assert len(caught.value.faults) == 3


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "x,y\n1,2\n")
    with pytest.raises(DataError, match=r"peple\.csv\. Did you mean 'people\.csv'"):
        read(tmp_path / "peple.csv", target="y")
    with pytest.raises(DataError, match="nor its folder"):
        read(tmp_path / "nowhere" / "people.csv", target="y")
    with pytest.raises(DataError, match="is a folder; expected a file"):
        read(tmp_path, target="y")


def test_broken_files(tmp_path: Path) -> None:
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(ROWS.encode())[:-20])
    with pytest.raises(DataError, match="not a complete gzip file"):
        read(cut, target="age")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and then nothing of use")
    with pytest.raises(DataError, match=r"broken\.parquet cannot be read as Parquet"):
        read(broken, target="age")
    with pytest.raises(DataError, match=r"book\.xlsx cannot be read as Excel"):
        read(write(tmp_path, "PK", "book.xlsx"), target="age")


def test_wine_quality() -> None:
    data = read(real("wine_quality", "winequality-red.csv"), target="quality")
    assert len(data) == 1599
    assert set(data.kinds.values()) == {"numeric"}
    assert "fixed acidity" in data.columns


def test_emotions() -> None:
    path = real("emotions", "emotions.arff.gz")
    labels = [
        "amazed-suprised",
        "happy-pleased",
        "relaxing-calm",
        "quiet-still",
        "sad-lonely",
        "angry-aggresive",
    ]
    data = read(path, target=labels)
    assert (len(data), len(data.columns), data.name) == (593, 72, "emotions")
    assert all(set(values) == {0.0, 1.0} for values in data.target.values())


def test_housing_without_header() -> None:
    data = read(real("boston", "housing.data"), target="column_14", header=False)
    assert (len(data), len(data.columns)) == (506, 13)
    with pytest.raises(DataError, match=r"dataset\.header=false"):
        read(real("boston", "housing.data"), target="MEDV")
