"""What pip is told to install is this project, and no other one of a similar name."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from dltrain.base import distribution
from dltrain.config.options import LAUNCHERS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# `dltrain` after `pip install`, or with extras or a version, without the rest of the name
BARE = re.compile(r"pip3? install[^`\n]*[\s'\"]dltrain(?![\w./-])|[\s'\"]dltrain(?:\[[a-z]+[\],]|[=~<>]=)")


def text_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = listed.splitlines() or [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file()]
    kinds = (".py", ".md", ".yaml", ".yml", ".toml", ".html", ".cfg", ".txt", "")
    return [ROOT / name for name in names if Path(name).suffix in kinds and (ROOT / name).is_file()]


def test_name_is_that_of_the_project() -> None:
    assert PROJECT["name"] == distribution.NAME


def test_bare_name_is_found() -> None:
    for line in (
        "pip install dltrain",
        "pip install 'dltrain[serve]'",
        'pip install -U "dltrain"',
        " 'dltrain[serve,export]'",
        " dltrain==0.1",
    ):
        assert BARE.search(line), line
    for line in ("pip install dltrain-keras", "pip install 'dltrain-keras[serve]'", "pip install . && bin/dltrain x=1"):
        assert not BARE.search(line), line


def test_nothing_installs_the_bare_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in text_files()
        if path != Path(__file__)
        for line in path.read_text("utf-8").splitlines()
        if BARE.search(line)
    ]
    assert found == []


def test_every_extra_that_a_hint_names_exists() -> None:
    hinted = {
        extra
        for path in (*(ROOT / "dltrain").rglob("*.py"), *(ROOT / "hydra_plugins").rglob("*.py"))
        for extra in re.findall(r"\binstall\(['\"](\w+)['\"]\)", path.read_text("utf-8"))
    }
    assert hinted >= {"serve", "export", "mlflow", "ray"}
    assert hinted | set(LAUNCHERS.values()) <= set(PROJECT["optional-dependencies"])


def test_command_of_an_extra() -> None:
    assert distribution.install("serve") == "pip install 'dltrain-keras[serve]'"
