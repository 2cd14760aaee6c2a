"""Every verb explains itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dltrain import verbs
from dltrain.cli.main import main


@pytest.mark.parametrize("verb", verbs.names())
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
    assert all(f"\n  {verb} " in shown for verb in verbs.names())
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


@pytest.mark.parametrize("name", verbs.names())
def test_every_verb_is_described(name: str) -> None:
    verb = verbs.verb(name)
    assert verb.name == name
    assert len(verb.summary.split()) > 3
    assert verb.summary.endswith(".")
    assert all(each.details["help"] for each in verb.each_argument())


def test_lines_of_the_listing_fit() -> None:
    lines = verbs.listing(60).splitlines()
    assert max(map(len, lines)) <= 60
    assert [line.split()[0] for line in lines if line[2] != " "] == verbs.names()


def test_sorting_downwards_is_no_flag() -> None:
    assert verbs.verb("runs").parse(["--sort", "-auc", "outputs"]).sort == "-auc"


def test_describing_all_verbs_imports_nothing_heavy() -> None:
    heavy = ("keras", "matplotlib", "numpy", "pandas", "pyarrow", "rich", "scipy", "sklearn", "tensorflow")
    code = f"import sys; from dltrain import verbs; verbs.listing(80); print({{*{heavy}}} & set(sys.modules))"
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=paths)
    assert done.stdout == "set()\n"
