"""What README.md, CONTRIBUTING.md and the guides show is what dltrain does."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dltrain.cli.main import main
from dltrain.config.compose import Composer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
GUIDES = ROOT / "docs" / "guides"


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def section(page: str, title: str = "") -> str:
    """A page of the guides, or a part of it from its heading to the next."""
    text = (GUIDES / f"{page}.md").read_text("utf-8")
    if not title:
        return text
    _, _, rest = text.partition(f"\n## {title}\n")
    assert rest, f"{page}.md has no section '{title}'"
    return rest.partition("\n## ")[0]


def shell_lines() -> list[str]:
    lines = [line for text in (README, CONTRIBUTING) for block in blocks("shell", text) for line in block.splitlines()]
    lines += [
        step["run"]
        for block in blocks("yaml", section("own_parts", "Smoke runs in CI"))
        for step in yaml.safe_load(block)
    ]
    return [line for line in lines if line.startswith("dltrain ")]


@pytest.fixture
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory to type in, from which modules can be imported."""
    modules = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("line", shell_lines())
def test_command_composes(line: str) -> None:
    words = shlex.split(line)[1:]
    composer = Composer()
    if "-m" in words:
        words.remove("-m")
        composer.compose_sweep(words)
    else:
        composer.compose(words)


def test_commands_are_found() -> None:
    assert len(shell_lines()) > 4
    assert len(lines_of_training()) > 4


def test_error_example_is_what_comes(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = [block for block in blocks("text") if "error: " in block]
    assert shown, "README.md shows no error"
    command, *lines = shown[0].splitlines()
    assert command.startswith("$ dltrain ")
    assert main(shlex.split(command)[2:]) == 2
    # The README may break the lines.
    assert capsys.readouterr().err.split() == " ".join(lines).split()
    assert list(working_directory.iterdir()) == []


def test_own_parts_train_and_leave_what_is_listed(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chapter = section("own_parts").partition("\n## ")[0]
    for snippet in (*blocks("yaml", chapter), *blocks("python", chapter)):
        path = working_directory / snippet.split()[1].rstrip(":")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(snippet)
    (command,) = re.findall(r"^# dltrain (.*)$", chapter, flags=re.MULTILINE)
    assert main([*shlex.split(command), "experiment=smoke", "report=true", "hydra.run.dir=run"]) == 0
    run = working_directory / "run"
    config = (run / "config.yaml").read_text()
    assert "units: 500" in config

    listing = re.search(
        r"^    outputs/\S+\n((?:      .*\n)+)", section("training", "What a run leaves behind"), flags=re.MULTILINE
    )
    assert listing
    names = [line.split()[0] for line in listing[1].splitlines()]
    assert len(names) > 8
    assert [name for name in names if not (run / name).exists()] == []
    assert {path.name for path in run.iterdir()} == {name.rstrip("/") for name in names} | {".hydra"}

    (snippet,) = [block for block in blocks("python", section("deploying")) if "load_model(" in block]
    shown = re.search(r'load_model\("(.*?)"\)', snippet)
    assert shown
    capsys.readouterr()
    exec(snippet.replace(shown[1], str(run / "model.keras")), {})
    answer = re.search(r"\[\[([\d.]+)\]\]", capsys.readouterr().out)
    assert answer
    assert 0 < float(answer[1]) < 1


def test_why_example_is_what_comes(
    working_directory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    (example,) = [block for block in blocks("text", section("sweeps")) if block.startswith("$ dltrain why ")]
    command, _, shown = example.partition("\n")
    assert main(shlex.split(command)[2:]) == 0
    assert capsys.readouterr().out == shown


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert len(targets) > 3
    assert [
        target for target in targets if "://" not in target and not (ROOT / target.partition("#")[0]).exists()
    ] == []


def test_model_is_used_as_shown(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chapter = section("deploying")
    assert main(["dataset=titanic", "experiment=smoke", "hydra.run.dir=run"]) == 0
    header = "pclass,sex,age,sibsp,parch,fare,embarked,name,survived"
    rows = [f"{1 + n % 3},{'male' if n % 2 else 'female'},{20 + n},0,0,{7 + n},S,someone,{n % 2}" for n in range(12)]
    (working_directory / "new.csv").write_text("\n".join([header, *rows]))
    capsys.readouterr()

    (shown,) = blocks("text", section("deploying", "Predict"))
    command, head, *_, note = shown.splitlines()
    run = shlex.split(command)[3]
    assert main([word.replace(run, "run") for word in shlex.split(command)[2:]]) == 0
    came = capsys.readouterr()
    assert came.out.splitlines()[0].replace('"', "") == head
    assert note.split(" (")[0] in came.err

    (line,) = re.findall(r"`dltrain (evaluate .*?)`", chapter)
    assert main(shlex.split(line.replace("RUN", "run"))) == 0
    assert "accuracy" in capsys.readouterr().out

    (snippet,) = [block for block in blocks("python", chapter) if "dltrain.load(" in block]
    exec(snippet.replace(run, "run"), {})
    assert "probability_1" in capsys.readouterr().out


@pytest.mark.slow
def test_python_runs_as_shown(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{60 + n},{('Elm', 'Oak')[n % 2]},{200 + 3 * n + 40 * (n % 2)}" for n in range(60)]
    (working_directory / "houses.csv").write_text("\n".join(["size,street,price", *rows]))
    (snippet,) = [block for block in blocks("python") if "dltrain.train(" in block]
    exec(snippet, {})
    assert re.search(r"rmse .*prediction", capsys.readouterr().out, flags=re.DOTALL)
    shared: dict[str, object] = {}
    for block in blocks("python", section("notebooks")):
        exec(block, shared)
    assert capsys.readouterr().out.count("prediction") == 1
    assert (working_directory / "flowers.keras").exists()


def lines_of_training() -> list[str]:
    """What the guide types, but for what tests/test_installed.py runs with the installed package."""
    lines = [line for block in blocks("shell", section("training")) for line in block.splitlines()]
    return [line for line in lines if re.match(r"dltrain (?!-m|experiment=)", line)]


@pytest.mark.slow
@pytest.mark.parametrize("line", lines_of_training())
def test_what_the_guide_types_trains(working_directory: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    words = shlex.split(line)[1:]
    short = [] if any(word.startswith("trainer.epochs=") for word in words) else ["trainer.epochs=2"]
    assert main([*words, *short]) == 0
    assert capsys.readouterr().err == ""
    (record,) = working_directory.rglob("run.json")
    assert '"status": "completed"' in record.read_text()


def test_run_is_resumed_and_reproduced_as_shown(working_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = blocks("text", section("training", "Stop, continue, repeat"))
    commands = [shlex.split(line)[2:] for line in shown.splitlines() if line.startswith("$ dltrain ")]
    train, _, resume, reproduce = commands
    assert main([*train, "experiment=smoke"]) == 0
    told = []
    for words in (resume, reproduce):
        capsys.readouterr()
        assert main(words) == 0
        told.append(capsys.readouterr().out.splitlines()[-1])
    assert told == [shown.splitlines()[-3], shown.splitlines()[-1]]
