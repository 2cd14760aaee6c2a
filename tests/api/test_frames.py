from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dltrain.api.frames import keep
from dltrain.base.errors import ConfigError, DataError


def test_the_same_frame_is_one_file_whatever_its_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.5, None], "b": ["x", None], "price": [1, 2]})
    kept = keep(frame, "price", tmp_path)
    assert kept.path == keep(frame.set_index(pd.Index([7, 9])), "price", tmp_path).path
    assert kept.path != keep(frame.assign(a=0.0), "price", tmp_path).path
    kept.write()
    assert pd.read_parquet(kept.path).equals(frame)
    assert list(tmp_path.rglob("*.parquet")) == [kept.path]


def test_kinds_of_columns_survive(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"kind": pd.Categorical(["a", "b"]), "mixed": [1, "x"], "flag": [True, False], 3: [0.5, 1.5], "y": [0, 1]}
    )
    kept = keep(frame, "y", tmp_path)
    kept.write()
    back = pd.read_parquet(kept.path)
    assert list(back) == ["kind", "mixed", "flag", "3", "y"]
    assert isinstance(back["kind"].dtype, pd.CategoricalDtype)
    assert list(back["mixed"]) == ["1", "x"]


def test_a_target_that_is_no_column_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"price": [1, 2], "rooms": [3, 4]})
    with pytest.raises(ConfigError, match=r"no column 'prize'. Did you mean 'price'\?"):
        keep(frame, "prize", tmp_path)
    with pytest.raises(ConfigError, match="expected the name of a column"):
        keep(frame, None, tmp_path)
    with pytest.raises(DataError, match="two columns are named 'price'"):
        keep(pd.concat([frame, frame], axis=1), "price", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [[1, 2, 3], {"a": 1}, 5, (1, 2), {1, 2}])
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path: Path, data: Any) -> None:
    with pytest.raises(ConfigError, match=rf"^data: expected a data frame, .*, got {type(data).__name__}\.$"):
        keep(data, "a", tmp_path)
