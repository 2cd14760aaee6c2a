from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest
from omegaconf import OmegaConf

from dltrain.cli.main import main
from dltrain.config.compose import conf_directory
from dltrain.verbs.init import TEMPLATE


@pytest.fixture(autouse=True)
def _working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def test_project_runs_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "students"]) == 0
    shown = capsys.readouterr().out
    assert "The data are made up." in shown
    assert shown.endswith("  cd students && dltrain --config-dir conf experiment=mine\n")
    monkeypatch.chdir("students")
    words = ["--config-dir", "conf", "experiment=mine", "trainer.epochs=2", "hydra.run.dir=run", "quiet=true"]
    try:
        assert main(words) == 0
    finally:
        sys.modules.pop("my_callbacks", None)
    assert re.match(r"epoch 1: val_loss \d", Path("run/improvements.txt").read_text())
    rows = list(csv.DictReader(Path("data/mine.csv").read_text().splitlines()))
    assert len(rows) == 240
    assert {row["passed"] for row in rows} == {"yes", "no"}


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "README.md").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("full", "file", "file/below"):
        assert main(["init", name]) == 2
        assert "error: 'f" in capsys.readouterr().err
    assert (tmp_path / "full" / "README.md").read_text() == "mine"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["README.md"]
    assert (tmp_path / "file").read_text() == "mine"


def test_empty_folder_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["init", "empty"]) == 0


def test_no_option_is_shadowed_by_a_shipped_one() -> None:
    names = [file.relative_to(TEMPLATE / "conf") for file in (TEMPLATE / "conf").rglob("*.yaml")]
    assert len(names) == 3
    assert [name for name in names if (conf_directory() / name).exists()] == []


def test_files_name_a_schema_that_editors_check_them_by(tmp_path: Path) -> None:
    assert main(["init", "students"]) == 0
    valid = jsonschema.Draft7Validator(json.loads(Path("students/schema.json").read_text())).is_valid
    files = sorted(Path("students/conf").rglob("*.yaml"))
    for file in files:
        named = re.search(r"^# yaml-language-server: \$schema=(\S+)$", file.read_text(), re.MULTILINE)
        assert named is not None
        assert (file.parent / named[1]).resolve() == (tmp_path / "students/schema.json")
        found = OmegaConf.to_container(OmegaConf.load(file))
        assert valid(found)
        assert not valid({**found, "trianer": {"epochs": 3}})
    assert len(files) == 3
