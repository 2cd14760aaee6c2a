"""What Weights & Biases has of a run, read back from the file that it writes without a network."""

from __future__ import annotations

import importlib.util
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import ConfigError
from dltrain.tracking.wandb import WeightsAndBiases

installed = pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="wandb is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # its own dependencies warn of one another
QUICK = ("model=linear", "trainer.epochs=2", "callbacks=csv_history", "tracking=wandb", "tracking.wandb.mode=offline")
BLOCK, HEAD = 32_768, 7  # of LevelDB's log format, which the file has after a head of as many bytes


def records(folder: Path) -> list[Any]:
    """The records of a run that was not sent."""
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    wandb.teardown()  # its own process writes the file
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    content, place, begun = file.read_bytes(), HEAD, b""
    found = []
    while place + HEAD <= len(content):
        left = BLOCK - place % BLOCK
        if left < HEAD:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + HEAD])
        begun += content[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (1, 4):  # a whole record, or the last part of one
            found.append(Record.FromString(begun))
            begun = b""
    return found


def of_kind(found: list[Any], kind: str) -> list[Any]:
    return [getattr(each, kind) for each in found if each.WhichOneof("record_type") == kind]


def name(item: Any) -> str:
    return str(item.key or ".".join(item.nested_key))


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs wandb: pip install 'dltrain-keras\[wandb\]'"):
        WeightsAndBiases("any")


def test_another_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(ConfigError, match=r"tracking\.wandb\.mode: expected online or offline, got 'off'"):
        WeightsAndBiases("any", "off")


@installed
def test_offline_file_has_settings_epochs_and_final_metrics(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path / "run", *QUICK, "tracking.wandb.project=first")
    facts, found = run.json("run.json"), records(run.path)
    (begun,) = of_kind(found, "run")[:1]
    assert (begun.project, begun.display_name, begun.run_id) == ("first", "run", facts["tracking"]["run_id"])
    settings = {name(item): json.loads(item.value_json) for item in begun.config.update}
    assert settings["trainer.epochs"] == 2
    assert settings["model"] == "linear"
    assert settings["dltrain"]["data"]["sha256"] == facts["data"]["sha256"]
    epochs = [{name(item): json.loads(item.value_json) for item in each.item} for each in of_kind(found, "history")]
    assert [(each["_step"], each["val_loss"]) for each in epochs] == [
        (int(row["epoch"]), pytest.approx(float(row["val_loss"]))) for row in run.rows("history.csv")
    ]
    summary = {name(item): json.loads(item.value_json) for each in of_kind(found, "summary") for item in each.update}
    assert summary["test/accuracy"] == pytest.approx(run.json("metrics.json")["test"]["accuracy"])
    assert summary["status"] == "completed"
    assert [each.exit_code for each in of_kind(found, "exit")] == [0]


@installed
def test_service_that_cannot_be_used_is_told_with_its_cure(
    run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    def refuse(**_: Any) -> None:
        raise wandb.errors.UsageError("api_key not configured")

    monkeypatch.setattr(wandb, "init", refuse)
    with pytest.raises(ConfigError, match=r"cannot be used: api_key not configured\. Log in .*\.wandb\.mode=offline"):
        run_in(tmp_path / "run", *QUICK)
    assert not (tmp_path / "run" / "run.json").exists()
