from __future__ import annotations

import json
from pathlib import Path

import pytest

from dltrain.cli.main import main
from dltrain.config.json_schema import shipped_with


def test_it_is_printed_with_own_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == shipped_with(None)
    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks" / "mine.yaml").write_text("# M.\n# dltrain x\nmine:\n  _target_: my_callbacks.Mine\n")
    assert main(["schema", "--config-dir", str(tmp_path)]) == 0
    assert "mine" in json.loads(capsys.readouterr().out)["definitions"]["callbacks"]["properties"]


def test_a_folder_that_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--config-dir", str(tmp_path / "none")]) == 2
    assert "expected a folder, and there is none at" in capsys.readouterr().err
