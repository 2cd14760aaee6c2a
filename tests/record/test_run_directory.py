from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.record.environment import versions
from dltrain.record.run_directory import RunDirectory


@pytest.mark.parametrize("lists", [{"train": [3, 1], "test": []}, {"a": ["é", 'x"', "7"]}, {"none": []}])
def test_long_lists_are_written_as_any_other_file(tmp_path: Path, lists: dict[str, list[Any]]) -> None:
    directory = RunDirectory(tmp_path)
    directory.write_json("one.json", lists)
    directory.write_lists("other.json", {name: np.array(items) for name, items in lists.items()})
    assert (tmp_path / "other.json").read_text("utf-8") == (tmp_path / "one.json").read_text("utf-8")


def test_versions_tell_the_variables_that_change_numbers_where_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    assert "TF_ENABLE_ONEDNN_OPTS" not in versions()
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert versions()["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert "TF_NUM_INTRAOP_THREADS" not in versions()
