"""No verb prints a character that a terminal obeys, wherever the data, the config or the command line has one."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dltrain import verbs
from dltrain.cli.main import main

OBEYED = re.compile(r"(?!\r\n)[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
ESC = "\x1b[31m\x9b2J\u202e\x1b]0;pwned\x07"
Seen = Callable[..., str]


@pytest.fixture
def seen(capsys: pytest.CaptureFixture[str]) -> Seen:
    """Runs a command line and returns what it printed, in which no character may be obeyed."""

    def run(*words: str | Path, code: int | None = None) -> str:
        capsys.readouterr()
        found = main([str(word) for word in words])
        shown = "".join(capsys.readouterr())
        assert code in (None, found), shown
        assert "Traceback" not in shown
        assert OBEYED.findall(shown) == [], repr(shown)
        return shown

    return run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("escapes")
    (root / f"table{ESC}.csv").write_text(table(60))
    return root


def table(rows: int) -> str:
    header = f"id{ESC},number{ESC},word{ESC},text{ESC},answer{ESC}"
    lines = [
        f"{row}{ESC},{row % 7}.5,{'red' if row % 3 else 'blue'}{ESC},a{ESC} {row},{'yes' if row % 2 else 'no'}{ESC}"
        for row in range(rows)
    ]
    return "\n".join([header, *lines]) + "\n"


@pytest.fixture(scope="module")
def overrides(root: Path) -> list[str]:
    return [
        "dataset=csv", f"dataset.path='{root}/table{ESC}.csv'", f"dataset.target='answer{ESC}'",
        f"dataset.id_column='id{ESC}'", f"dataset.name='name{ESC}'", "model=linear", "callbacks=learning_rate",
        "trainer.epochs=1", "score_test=always",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def run(root: Path, overrides: list[str]) -> Path:
    path = root / f"run{ESC}"
    assert main([*overrides, f"hydra.run.dir='{path}'"]) == 0
    return path


@pytest.mark.slow
def test_trainings(seen: Seen, root: Path, overrides: list[str]) -> None:
    shown = seen(*overrides, "verbose=true", f"hydra.run.dir='{root}/told{ESC}'")
    assert "\\x1b[31m" in shown
    shown = seen(*overrides, "-m", "seed=0,1", f"+note='{ESC}'", f"hydra.sweep.dir='{root}/sweep{ESC}'", code=2)
    seen(*overrides, "-m", "seed=0,1", f"hydra.sweep.dir='{root}/sweep{ESC}'")
    seen("resume", root / f"sweep{ESC}")
    seen("report", root / f"sweep{ESC}")
    seen("runs", root / f"sweep{ESC}")
    seen("runs", root)
    seen("compare", root / f"sweep{ESC}" / "0", root / f"sweep{ESC}" / "1")


def test_verbs_that_read_a_run(
    seen: Seen, root: Path, run: Path, overrides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uvicorn = pytest.importorskip("uvicorn", reason="needs the extra `serve`")
    # The logging of its config would close a stream of pytest that absl holds.
    monkeypatch.setattr(uvicorn, "Config", lambda *_, **__: None)
    monkeypatch.setattr(uvicorn, "Server", lambda _: SimpleNamespace(run=lambda: None, started=False))
    other = root / f"other{ESC}"
    shutil.copytree(run, other)
    damaged = root / f"damaged{ESC}"
    damaged.mkdir(exist_ok=True)
    (damaged / "run.json").write_text(f'"{ESC}')
    new = root / f"new{ESC}.csv"
    new.write_text(table(5).replace("red", "green").replace("answer", "ignored"))
    commands: dict[str, list[tuple[Any, ...]]] = {
        "runs": [(root,), (root, "--json"), (root, "--csv"), (root, "--filter", f"{ESC}=1")],
        "compare": [(run, other), (run, other, "--json"), (run, other, "--csv"), (run, root / ESC)],
        "report": [(run,), (damaged,)],
        "predict": [
            (run, "--input", new), (run, "--input", new, "--format", "jsonl"), (run, "--input", ESC),
            (run, "--input", new, "--output", root / f"out{ESC}.csv"), (run, "--input", new, "--id-column", ESC),
        ],
        "evaluate": [
            (run, "--by", f"word{ESC}"), (run, "--by", f"word{ESC}", "--json"), (run, "--by", f"word{ESC}", "--csv"),
            (run, "--by", ESC),
        ],
        "export": [(run, "--format", "saved_model", "--output", root / f"exported{ESC}")],
        "serve": [(run,)],
        "resume": [(run,), (root / ESC,)],
        "check": [(*overrides, "--details"), (*overrides, "--json")],
        "plan": [tuple(overrides), (*overrides, "--json"), (*overrides, f"nothing={ESC}")],
        "why": [("dataset.path", *overrides), ("dataset.path", *overrides, "--json"), (ESC,)],
        "init": [(root / f"project{ESC}",)],
        "reproduce": [(run, "--output", root / f"again{ESC}")],
        "board": [(root / f"none{ESC}",), (root, "--port", "70000")],
        "doctor": [()],
        "course": [(), (ESC,)],
        "schema": [(), ("--config-dir", root / f"none{ESC}")],
    }  # fmt: skip
    assert set(commands) == set(verbs.names())
    ends_with_1 = {"serve", "export", "check"}  # not started, no name for TensorFlow, a training of one epoch
    for verb, lines in commands.items():
        seen(verb, *lines[0], code=2 if verb == "board" else None if verb == "doctor" else int(verb in ends_with_1))
        for words in lines[1:]:
            seen(verb, *words)
        seen(verb, f"--{ESC}", code=2)
    seen(f"verb{ESC}", code=2)


def test_nothing_prints_but_through_printable() -> None:
    package = Path(verbs.__file__).parents[1]
    own = {package / "base" / "show.py", package / "base" / "console.py", package / "exporting" / "rows.py"}
    plain = re.compile(r"(?<![\w.])(print|Console|print_exc)\(|[wW]riter\(sys\.stdout")
    assert [path for path in package.rglob("*.py") if path not in own and plain.search(path.read_text())] == []
