from __future__ import annotations

import json
from pathlib import Path

import pytest

from dltrain.api.finished_run import load
from dltrain.base.errors import ConfigError


def test_a_run_that_is_not_completed_has_no_model(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"status": "interrupted"}))
    with pytest.raises(ConfigError, match="status of the run: interrupted"):
        load(tmp_path)


def test_a_mistyped_directory_is_answered_with_the_nearest_run(tmp_path: Path) -> None:
    (tmp_path / "titanic").mkdir()
    (tmp_path / "titanic" / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"does not exist.*titanic"):
        load(str(tmp_path / "titanik"))
