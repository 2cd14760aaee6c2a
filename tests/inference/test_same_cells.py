"""A table that trains must predict: a cell means the same in training, in a file, in a data frame and in a request."""

from __future__ import annotations

import gzip
import json
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dltrain.base.errors import DataError
from dltrain.data import table
from dltrain.data.dataset import Dataset
from dltrain.data.missing_cells import Missing
from dltrain.data.reading import Reading
from dltrain.inference.model import reading_of
from dltrain.inference.read_rows import read_rows
from dltrain.inference.row_inputs import RowInputs
from dltrain.inference.rows import RawRows, frame_rows, value_rows
from dltrain.record.signature import Signature, describe

# Cells of columns as people have them; a table takes some of each.
POOLS: dict[str, list[Any]] = {
    "fractions": [0.5, -1.25, 3.0, 1e-7, 12345678.9, 1 / 3, None],
    "whole": [1, 2, 30, -4, 500, None],
    "beyond": [2**53 + 1, 2**53 + 2, 2**53 + 3, 2**62],
    "sentinel": [-999.0, 0.5, 1.5, 2.25],
    "truth": [True, False, None],
    "words": ["red", " green", "blue ", "naïve", "a,b", 'say "x"', "x;y", "l\nm", '5" pipe', None],
    "missing": ["red", "blue", "NA", "None", "", " ", "?", "n/a", None],
    "zeros": ["007", "010", "7", "100"],
    "points": ["1.0", "2.0", "3", "3.00", None],
    "mixed": ["1", "two", "3.5", "4"],
    "spaced": [" 1.5", "2 ", "+3", "1e3", "NA"],
    "spelled": ["true", "FALSE", "True"],
    "composed": ["nai\u0308ve", "na\u00efve", "A\u030angstro\u0308m"],
    "dates": ["2020-01-31", "2021-12-24", "1999-07-01", None],
    "times": ["2020-01-31 10:05", " 2021-12-24 00:00", "1999-07-01 23:59 ", None],
    "days": ["31.01.2020", "24.12.2021", "01.07.1999", None],
    "slashes": ["01/02/2020", "12/24/2021", "3/4/1999", ""],
    "german": ["1.234,5", "2,5", "-3", "1.000", None],
    "thousands": ["1,234", "5,600", "12,000,000", "7"],
    "open": ["1,234", "5,600", "7"],
    "money": ["$1,234.50", "$3", "-$4", "5 $"],
    "shares": ["24%", "5.5 %", "0", None],
    "minus": ["\u22125", "3", "1 234,5", "1\u00a0000"],
    "unicode": ["caf\u00e9", "cafe\u0301", "tea"],
    "sentences": ["one two three four five six", "Ça va, c'est “bien” ça va bien", "a b c d e f\ng", ""],
}
FORMATS = ["csv", "tsv", "csv.gz", "zip", "parquet", "feather", "jsonl", "xlsx"]
TEXT = {"csv", "tsv", "csv.gz", "zip"}
DATES = {"dates", "times", "days", "slashes"}
TEXTS = {"words", "missing", "sentences", *DATES}
UNKNOWN = "(unknown)"


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, dict[str, Any], str]:
    """A frame of cells, the keys of `dataset` that read it, and the format of its file."""
    rows = draw(st.integers(6, 30))
    names = draw(st.lists(st.sampled_from(sorted(POOLS)), min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        cells = draw(st.lists(st.sampled_from(POOLS[name]), min_size=rows, max_size=rows))
        columns[name] = pd.Series(cells, dtype={"whole": "Int64", "beyond": "Int64"}.get(name, object))
        if name in {"fractions", "sentinel"}:
            columns[name] = columns[name].astype(float)
    frame = pd.DataFrame(
        {**columns, "target": draw(st.lists(st.sampled_from([0.5, 1.5]), min_size=rows, max_size=rows))}
    )
    keys: dict[str, Any] = {"missing_values": draw(st.sampled_from([[], ["?"], ["-999"], ["-999.0", "?"]]))}
    if draw(st.booleans()):
        frame["weight"] = draw(st.lists(st.sampled_from([0.5, 1, 3]), min_size=rows, max_size=rows))
        keys["weight"] = "weight"
    keys["day_first"] = draw(st.sampled_from([None, True, False]))
    kinds = draw(st.dictionaries(st.sampled_from(names), st.sampled_from(["category", "text", "date"]), max_size=3))
    fitting = {"category": set(names), "text": TEXTS, "date": DATES}
    keys["kinds"] = {name: kind for name, kind in kinds.items() if name in fitting[kind]}
    keys["decimal"] = draw(st.sampled_from([None, None, "point", "comma", {names[0]: "comma"}]))
    keys["thousands"] = draw(st.sampled_from([None, None, "comma", "point"]))
    # Excel has no whole numbers beyond 2**53.
    suffix = draw(st.sampled_from([each for each in FORMATS if each != "xlsx" or "beyond" not in names]))
    if suffix in TEXT:
        keys["separator"] = draw(st.sampled_from([None, ";", "|"] if suffix != "tsv" else [None]))
        keys["encoding"] = draw(st.sampled_from([None, None, "utf-8", "utf-16", "cp1252"]))
    return frame, keys, suffix


def write(frame: pd.DataFrame, keys: dict[str, Any], suffix: str, folder: Path, ending: str) -> Path:
    path = folder / f"table.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "feather":
        frame.to_feather(path)
    elif suffix == "xlsx":
        frame.to_excel(path, index=False)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in json_rows(frame)))
    else:
        separator = "\t" if suffix == "tsv" else keys["separator"] or ","
        text = frame.to_csv(index=False, sep=separator, lineterminator=ending)
        content = text.encode(keys["encoding"] or ("utf-8" if "naïve" in text else "cp1252"))
        if suffix == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("table.csv", content)
        else:
            path.write_bytes(gzip.compress(content) if suffix == "csv.gz" else content)
    return path


def json_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    cells = {name: [None if pd.isna(cell) else plain(cell) for cell in frame[name]] for name in frame}
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell


def train_on(path: Path, keys: dict[str, Any]) -> tuple[Dataset, Signature]:
    given = {"separator": None, "encoding": None, "header": True, "id_column": None, **keys}
    dataset = table.load(
        name="csv", path=str(path), target="target", category_values=1000, column_rules=2,
        size=64, channels=None, corrupt="skip", **given,
    )  # fmt: skip
    train = np.arange(len(dataset))[: len(dataset) * 2 // 3]
    dataset = dataset.decided(train)
    part = dataset.take(train)
    known = {
        name: tuple(sorted(set(part.columns[name].tolist()) - {""}))
        for name, kind in dataset.kinds.items()
        if kind == "category"
    }
    signature = describe(
        part,
        task="regression",
        classes=(),
        offset=0.0,
        scale=1.0,
        known_words=known,
        source={**given, "path": str(path)},
    )
    return dataset, signature


def inputs_of(signature: Signature, blocks: list[RawRows]) -> dict[str, list[Any]]:
    row_inputs = RowInputs(signature)
    parts = [row_inputs.inputs(block) for block in blocks]
    found = {name: np.concatenate([np.asarray(part[name])[:, 0] for part in parts]).tolist() for name in parts[0]}
    return {name: as_known(signature, name, cells) for name, cells in found.items()}


def read(path: Path, reading: Reading) -> list[RawRows]:
    return list(read_rows(str(path), file_format=None, reading=reading, only_column="target", kind="table"))


def as_known(signature: Signature, name: str, cells: list[Any]) -> list[Any]:
    """Words that the model does not know are one to it."""
    column = next(column for column in signature.columns if column.name == name)
    words = [cell.decode() if isinstance(cell, bytes) else cell for cell in cells]
    if column.kind == "category":
        return [word if word in column.words or word == "" else UNKNOWN for word in words]
    return words


def check(frame: pd.DataFrame, keys: dict[str, Any], suffix: str, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = write(frame, keys, suffix, Path(folder), ending)
            dataset, signature = train_on(path, keys)
        except (DataError, UnicodeEncodeError):  # what is refused in training needs no prediction
            assume(False)
        trained = {name: as_known(signature, name, cells.tolist()) for name, cells in dataset.columns.items()}
        if "weight" in keys:
            assert "weight" not in trained
            np.testing.assert_array_equal(dataset.weights, frame["weight"])
        missing = Missing.of(keys["missing_values"])
        ways = {
            "file": read(path, reading_of(signature)),
            "file in pieces": read(path, replace(reading_of(signature), bytes_at_once=50)),
            "frame": [frame_rows(frame, missing)],
            "request": [value_rows(pd.DataFrame(json_rows(frame), dtype=object).items(), missing, "the request")],
        }
        for way, blocks in ways.items():
            found = inputs_of(signature, blocks)
            for name, cells in trained.items():
                np.testing.assert_array_equal(np.array(found[name]), np.array(cells), err_msg=f"{way}, column {name}")


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(tables(), st.sampled_from(["\n", "\r\n"]))
def test_a_cell_means_the_same_everywhere(given: tuple[pd.DataFrame, dict[str, Any], str], ending: str) -> None:
    check(*given, ending)


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(tables(), st.sampled_from(["\n", "\r\n"]))
def test_a_cell_means_the_same_everywhere_in_many_tables(
    given: tuple[pd.DataFrame, dict[str, Any], str], ending: str
) -> None:
    check(*given, ending)
