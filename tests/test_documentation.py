"""The pages of docs/: each command on them is one that dltrain takes, and the site builds without a warning."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dltrain import verbs
from dltrain.config.compose import Composer

DOCS = Path(__file__).parents[1] / "docs"
# What is generated is not a page of its own; the course has a test of its own.
COURSE = sorted((DOCS / "course").glob("*.md"))
PAGES = sorted(page for page in DOCS.rglob("*.md") if "reference" not in page.parts and page not in COURSE)
EXTRAS = "hydra/launcher="  # needs an extra that need not be installed


def commands(page: Path) -> list[list[str]]:
    """The words after `dltrain` of every command in the page's blocks of shell and text, and in the text itself."""
    text = page.read_text("utf-8").replace("\\\n", "")
    blocks = re.findall(r"^```(?:shell|text)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks if "\nerror: " not in block for line in block.splitlines()]
    lines = [
        line[line.index("dltrain ") :] for line in lines if re.match(r"(\$ |TF_CONFIG=.* )?dltrain ", line.strip())
    ]
    lines += re.findall(r"`(dltrain [a-z]+ [^`]*)`", text)
    return [shlex.split(line)[1:] for line in lines]


ALL = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(("page", "words"), ALL, ids=[f"{page.stem}: {' '.join(words)}" for page, words in ALL])
def test_command_is_one_that_dltrain_takes(page: Path, words: list[str]) -> None:
    if words[0] in verbs.names():
        assert verbs.verb(words[0]).parse([word for word in words[1:] if word != "NAME"] or words[1:])
    elif not any(word.startswith(EXTRAS) for word in words):
        composer = Composer()
        given = [word for word in words if word != "-m"]
        compose = composer.compose_sweep if "-m" in words else composer.compose
        compose(given)


def test_pages_have_commands() -> None:
    assert len(PAGES) > 8
    assert len(ALL) > 40


def test_links_and_pictures_lead_somewhere() -> None:
    broken = [
        (page.name, target)
        for page in [*PAGES, *COURSE]
        for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8"))
        if "://" not in target and "reference/" not in target and not (page.parent / target).exists()
    ]
    assert not broken


@pytest.mark.slow
def test_what_is_typed_in_python_works(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / "guides/notebooks.md").read_text("utf-8"), re.M | re.S)
    (tmp_path / "all.py").write_text("\n".join(["import matplotlib", "matplotlib.use('agg')", *blocks]))
    done = subprocess.run([sys.executable, "all.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(blocks) >= 3
    assert "accuracy" in done.stdout


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path: Path) -> None:
    shutil.copytree(DOCS, tmp_path / "docs", ignore=shutil.ignore_patterns("reference", "__pycache__"))
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "site"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    for page in (
        "index",
        "guides/training",
        "reference/options",
        "reference/verbs",
        "reference/python",
        "course/3_optimization",
    ):
        assert (tmp_path / "site" / f"{page}.html").exists()
    assert list((tmp_path / "site/_downloads").rglob("3_optimization.ipynb"))
    text = (tmp_path / "site/reference/keys.html").read_text("utf-8")
    assert "greatest norm of each weight" in text
