from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.cli.main import main


def test_a_run_that_trains_on_every_row_has_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["dataset=wine", "split=no_test", "split.validation=null", "model=linear", "trainer.epochs=1", "quiet=true"]
    assert main([*words, "callbacks=[csv_history]", f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    assert not (tmp_path / "run" / "report.html").exists()
    assert main(["report", str(tmp_path / "run")]) == 2
    assert "has no validation part" in capsys.readouterr().err
