"""Every verb explains itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.cli.main import VERBS, main


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples_and_fits(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: dltrain {verb}")
    assert shown.count(f"dltrain {verb}") > 1
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_help_of_dltrain_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {verb} " in shown for verb in VERBS)
    assert "\noptimizer: adagrad, adam, " in shown
    assert "\nsearch/space: " in shown
    assert "Exit codes: 0 done" in shown
    assert "hydra/" not in shown


def test_help_of_dltrain_lists_the_options_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "own.yaml").write_text("_target_: mine.Own\n")
    assert main(["--help", "--config-dir", str(tmp_path)]) == 0
    assert ", nesterov, own, rmsprop" in capsys.readouterr().out
    assert main(["--help", "--config-name", "nope"]) == 2
    assert capsys.readouterr().err == "error: --config-name: there is no 'nope.yaml' in the folder of options.\n"
