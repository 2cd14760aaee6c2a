from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.data.recipe import Recipe
from dltrain.record.record import Record
from dltrain.record.signature import FILE, Signature, describe


@pytest.fixture
def signature(make_dataset: Any) -> Signature:
    train = make_dataset(
        {
            "age": [4.0, np.nan, 2.0, 9.0],
            "empty": [np.nan] * 4,
            "port": np.array(["S", "", "C", "S"], dtype=object),
            "family": np.arange(4.0),
            "image": np.zeros((4, 2, 3, 1), np.uint8),
        },
        source_names={"age": "Age in years"},
        made={"family": Recipe(("siblings", "parents"), plus=1.0)},
    )
    return describe(
        train,
        task="binary",
        classes=("no", "yes"),
        offset=0.0,
        scale=1.0,
        known_words={"port": ("C", "S")},
        source={"separator": ";", "missing_values": ["?"], "encoding": None, "path": "secret.csv"},
    )


def test_columns_tell_what_the_train_rows_hold(signature: Signature) -> None:
    age, empty, port, _, image = signature.columns
    assert (age.source, age.dtype, age.minimum, age.median, age.maximum) == ("Age in years", "float64", 2, 4, 9)
    assert age.has_missing
    assert (empty.minimum, empty.median, empty.has_missing) == (None, None, True)
    assert (port.dtype, port.words, port.has_missing) == ("string", ("C", "S"), True)
    assert (image.dtype, image.shape) == ("uint8", (2, 3, 1))
    assert signature.reading == {"separator": ";", "missing_values": ["?"]}


def test_a_made_column_needs_the_columns_it_is_made_from(signature: Signature) -> None:
    assert signature.needed == ("Age in years", "empty", "port", "siblings", "parents", "image")
    assert list(signature.by_source) == ["Age in years", "empty", "port", "image"]


def test_what_is_written_is_read_back(signature: Signature, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / FILE).write_text(json.dumps(signature.as_json()))
    assert Signature.of(Record(tmp_path)) == signature


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"has no signature\.json.*status of the run: failed"),
        ("{", "cannot be read"),
        ('{"columns": []}', "is not a signature of this version"),
        (
            '{"columns": [], "target": [], "classes": [], "made": {}, "task": "binary", "odd": 1}',
            "not a signature of this",
        ),
    ],
)
def test_a_run_without_a_whole_signature_is_refused(tmp_path: Path, content: str | None, sentence: str) -> None:
    (tmp_path / "run.json").write_text('{"status": "failed"}')
    if content:
        (tmp_path / FILE).write_text(content)
    with pytest.raises(ConfigError, match=sentence):
        Signature.of(Record(tmp_path))
