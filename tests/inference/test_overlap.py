from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError, DltrainError
from dltrain.inference.overlap import row_hashes, run_dataset, train_hashes
from dltrain.record.record import Record


def load_what_is_gone(name: str) -> Any:
    return Path(f"{name}.txt").read_text(encoding="utf-8")


def load_what_is_odd(name: str) -> Any:
    raise ValueError(f"{name} has no columns")


def record_of(target: str) -> Any:
    return SimpleNamespace(
        config=OmegaConf.create({"dataset": {"_target_": f"{__name__}.{target}", "name": "nowhere"}})
    )


@pytest.mark.parametrize(
    ("target", "reason"), [("load_what_is_gone", "No such file"), ("load_what_is_odd", "nowhere has no columns")]
)
def test_own_loader_that_fails_tells_why_nothing_is_known(target: str, reason: str) -> None:
    hashes, why = train_hashes(record_of(target))
    assert hashes is None
    assert reason in why


def test_own_loader_shows_its_fault_where_its_rows_are_asked_for() -> None:
    with pytest.raises(ValueError, match="has no columns") as caught:
        run_dataset(record_of("load_what_is_odd"))
    assert not isinstance(caught.value, ConfigError)


def test_rows_of_the_same_content_have_the_same_hash_whatever_the_order_of_columns() -> None:
    numbers, words = np.array([[1.0], [2.0], [1.0]]), np.array([["a"], ["b"], ["a"]], object)
    images = np.zeros((3, 2, 2, 1), np.uint8)
    images[1] = 1
    found = row_hashes({"n": numbers, "w": words, "i": images})
    assert found[0] == found[2] != found[1]
    np.testing.assert_array_equal(row_hashes({"i": images, "w": words, "n": numbers}), found)
    images[2, 0, 0, 0] = 9
    assert row_hashes({"n": numbers, "w": words, "i": images})[2] != found[0]


def test_train_rows_are_those_of_the_run_unless_its_data_has_changed(run_in: Any, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n" + "".join(f"{row * row % 31 + 0.5},{row % 2}\n" for row in range(30)))
    words = ("dataset=csv", f"dataset.path={table}", "dataset.target=b", "model=linear", "checks=none")
    record = Record(run_in(tmp_path / "run", *words).path)
    dataset, parts = run_dataset(record)
    hashes, reason = train_hashes(record)
    assert reason == ""
    assert hashes is not None
    np.testing.assert_array_equal(hashes, row_hashes({"a": dataset.columns["a"][parts["train"], None]}))
    table.write_text(table.read_text().replace("\n0.5,", "\n0.75,"))
    with pytest.raises(DltrainError, match=r"has changed since the run"):
        run_dataset(record)
    table.write_text("a,b\n" + "".join(f"{row * row % 31 + 0.5},{row % 2}\n" for row in range(20)))
    assert train_hashes(record) == (None, "The rows of dataset table are others than those of the run.")
