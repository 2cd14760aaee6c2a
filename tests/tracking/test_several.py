"""One run that several trackers are told of."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError

QUICK = ("model=linear", "trainer.epochs=2", "callbacks=csv_history")
OWN = """
told = []


class Tracker:
    def __init__(self, name):
        self.name = name

    def begin(self, directory, name, settings, tags):
        told.append((self.name, "begin", settings["trainer.epochs"]))

    def epoch(self, number, values):
        told.append((self.name, "epoch", number))

    def end(self, directory, *, register):
        told.append((self.name, "end", directory.facts["status"]))
"""


def node(name: str) -> str:
    return f"+tracking.{name}={{_target_:own_trackers.Tracker,name:{name}}}"


def test_each_is_told_of_everything(run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_trackers.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    run = run_in(tmp_path / "run", *QUICK, node("one"), node("two"))
    told = sys.modules.pop("own_trackers").told
    assert [each[1:] for each in told if each[0] == "one"] == [
        ("begin", 2), ("epoch", 1), ("epoch", 2), ("end", "completed"),
    ]  # fmt: skip
    assert [each[1:] for each in told if each[0] == "two"] == [each[1:] for each in told if each[0] == "one"]
    assert run.json("run.json")["settings"]["tracking.two.name"] == "two"


def test_all_that_are_not_installed_are_named(run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name in ("mlflow", "wandb") else found(name, *more)
    )
    with pytest.raises(ConfigError) as caught:
        run_in(tmp_path / "run", *QUICK, "tracking=[mlflow,wandb]")
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "tracking=mlflow needs mlflow", "tracking=wandb needs wandb",
    ]  # fmt: skip
