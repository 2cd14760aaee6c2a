from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dltrain


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two runs of other optimizers, which were not completed."""
    for name, optimizer in (("a", "adam"), ("b", "sgd")):
        (tmp_path / name).mkdir()
        facts = {
            "status": "failed",
            "choices": {"optimizer": optimizer},
            "settings": {},
            "started": f"2026-01-0{len(name)}",
        }
        (tmp_path / name / "run.json").write_text(json.dumps(facts))
    return [tmp_path / "a", tmp_path / "b"]


def test_what_differs_is_a_frame_and_what_it_means_are_sentences(two: list[Path]) -> None:
    found = dltrain.compare(dltrain.Run(two[0]), str(two[1]))
    assert found.settings.to_dict("index") == {"optimizer": {"A": "adam", "B": "sgd"}}
    assert found.sentences[0] == "B against A: no test is valid."
    assert "optimizer" in repr(found)
    assert found.as_json()["runs"]["A"] == {"run": str(two[0]), "status": "failed"}


@pytest.mark.parametrize("choose", [lambda two: two[:1], lambda two: [*two, two[0].parent / "c"]])
def test_one_run_or_a_folder_without_one_is_refused(choose: Callable[[Any], Any], two: list[Path]) -> None:
    with pytest.raises(dltrain.ConfigError):
        dltrain.compare(*choose(two))


def test_runs_are_rows_of_a_frame(two: list[Path]) -> None:
    found = dltrain.runs(two[0].parent, filter="status=failed", sort="optimizer")
    assert list(found["optimizer"]) == ["adam", "sgd"]
    assert list(found.columns[:4]) == ["run", "sweep", "started", "status"]
    assert len(dltrain.runs(two[0].parent, filter="optimizer=adam")) == 1
