from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from dltrain.config.fingerprint import fingerprint
from dltrain.record.config_changes import changes_of
from dltrain.record.record import Record

CONFIG = {
    "task": {"monitor": "val_loss"},
    "callbacks": {"stop": {"_target_": "a.B", "monitor": "${task.monitor}", "delta": float("inf")}},
    "model": {"units": [2]},
    "quiet": False,
}


@pytest.fixture
def leave(tmp_path: Path) -> Any:
    """`leave(**changed)`: a run with CONFIG, whose config.yaml has been changed since."""

    def run(**changed: Any) -> Record:
        config = OmegaConf.create(CONFIG)
        settings = {"task.monitor": "val_loss", "callbacks.stop._target_": "a.B", "callbacks.stop.delta": None}
        settings |= {"model.units": [2], "quiet": False}
        facts = {"settings": settings, "config_sha256": fingerprint(config)}
        (tmp_path / "run.json").write_text(json.dumps(facts))
        (tmp_path / ".hydra").mkdir()
        OmegaConf.save(config, tmp_path / ".hydra" / "config.yaml")
        OmegaConf.resolve(config)
        for key, value in changed.items():
            OmegaConf.update(config, key.replace("__", "."), value, force_add=True)
        OmegaConf.save(config, tmp_path / "config.yaml")
        return Record(tmp_path)

    return run


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"quiet": True}, {}),
        ({"model__units": [3]}, {"model.units": ([2], [3])}),
        ({"callbacks__stop__monitor": "loss"}, {"callbacks.stop.monitor": ("val_loss", "loss")}),
        ({"task__monitor": "loss", "callbacks__stop__monitor": "loss"}, {"task.monitor": ("val_loss", "loss")}),
    ],
)
def test_changed_settings_are_named(leave: Any, changed: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {each.key: (each.before, each.after) for each in changes_of(leave(**changed))} == expected


def test_what_a_training_can_take_up(leave: Any) -> None:
    changed = {"callbacks__stop__delta": 0.5, "callbacks__stop___target_": "a.C", "callbacks__stop__new": 1}
    changes = {each.key: each for each in changes_of(leave(**changed, model__units=[3]))}
    assert {key: each.can_be_taken_up for key, each in changes.items()} == {
        "callbacks.stop.delta": True,
        "callbacks.stop._target_": False,
        "callbacks.stop.new": False,
        "model.units": False,
    }
    assert changes["callbacks.stop.new"].sentence == "callbacks.stop.new: run.json has nothing, config.yaml has 1"


def test_change_that_no_setting_shows_is_told(leave: Any) -> None:
    record = leave()
    record.facts["config_sha256"] = "another"
    assert [each.key for each in changes_of(record)] == ["config.yaml"]


def test_run_without_a_hash_has_no_changes(leave: Any) -> None:
    record = leave(model__units=[3])
    del record.facts["config_sha256"]
    assert changes_of(record) == []
