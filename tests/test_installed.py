"""The first command of the README as it stands, then the wheel alone in that environment, from an empty directory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
TRAINING, DEPLOYING = (
    (ROOT / "docs" / "guides" / f"{name}.md").read_text("utf-8") for name in ("training", "deploying")
)

LONGEST = 900  # seconds that a command may take, with all downloads

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * LONGEST)]


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def shell_lines(text: str) -> list[str]:
    """The commands of a page."""
    return [line for block in blocks("shell", text) for line in block.splitlines()]


@dataclass(frozen=True)
class Installed:
    """An environment that has dltrain from its wheel, and the run that its set-up made.

    Attributes:
        environment: variables under which `dltrain` and `python` are those of the environment.
        wheel: what is installed.
        first_run: the run directory of the README's first command.
    """

    environment: dict[str, str]
    wheel: Path
    first_run: Path

    def run(self, line: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Runs a line of a shell in a folder; it must succeed."""
        return run(line, folder, self.environment)


def run(line: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("what belongs to the project is known to git alone")
    folder = tmp_path_factory.mktemp("installed")
    checkout, home = folder / "checkout", folder / "home"
    home.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    ours = {name for name in os.environ if name.startswith(("DLTRAIN", "PYTHON", "TF_", "VIRTUAL_ENV", "XDG_"))}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment["PIP_COMPILE"] = "0"  # most of what is installed is never imported

    (command,) = [line for line in shell_lines(README) if "dataset=titanic optimizer=adam" in line]
    run(command, checkout, environment)
    (first_run,) = [path.parent for path in checkout.rglob("run.json")]

    virtual = checkout / ".venv"
    environment["PATH"] = f"{virtual / 'bin'}{os.pathsep}{os.environ['PATH']}"
    run("pip wheel --no-deps --wheel-dir dist .", checkout, environment)
    (wheel,) = (checkout / "dist").glob("*.whl")
    wheel = Path(shutil.move(wheel, folder))
    run(f"pip install --no-deps --force-reinstall {wheel}", folder, environment)
    first_run = Path(shutil.move(first_run, folder / "first_run"))
    # From here on nothing but the environment is there.
    for path in checkout.iterdir():
        if path != virtual:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    yield Installed(environment, wheel, first_run)
    shutil.rmtree(folder, ignore_errors=True)


def assert_run(folder: Path) -> None:
    """A run directory as the README lists it."""
    listing = re.search(r"^    outputs/\S+\n((?:      .*\n)+)", TRAINING, flags=re.MULTILINE)
    assert listing
    names = [line.split()[0].rstrip("/") for line in listing[1].splitlines()]
    assert {path.name for path in folder.iterdir()} == {*names, ".hydra"}
    assert '"status": "completed"' in (folder / "run.json").read_text()


def test_first_command_of_the_readme(installed: Installed) -> None:
    assert_run(installed.first_run)


def test_model_answers_without_dltrain(installed: Installed, tmp_path: Path) -> None:
    (snippet,) = [block for block in blocks("python", DEPLOYING) if "load_model(" in block]
    script = re.sub(r'load_model\(".*?"\)', f'load_model("{installed.first_run / "model.keras"}")', snippet)
    (tmp_path / "snippet.py").write_text(script)
    answer = re.search(r"\[\[([\d.]+)\]\]", installed.run("python snippet.py", tmp_path).stdout)
    said = re.search(r"# ([\d.]+): ", snippet)
    assert answer
    assert said
    # Another processor rounds in another way, which a whole training makes larger.
    assert float(answer[1]) == pytest.approx(float(said[1]), abs=0.05)


def test_wheel_has_package_and_configs_and_nothing_else(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    kinds = (".py", ".typed", ".yaml", ".md", ".html", ".css", ".js", ".svg", ".LICENSE.txt")
    folders = {"conf": "dltrain/conf", "docs/course": "dltrain/course"}
    folders |= {name: name for name in ("dltrain", "hydra_plugins")}
    expected = {
        f"{there}/{path.relative_to(ROOT / here).as_posix()}"
        for here, there in folders.items()
        for path in (ROOT / here).rglob("*")
        if path.name.endswith(kinds)
    }
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_wheel_runs_from_an_empty_directory(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("dltrain dataset=titanic optimizer=adam", tmp_path)
    assert done.stderr == ""
    printed = [line.strip() for line in done.stdout.splitlines()]
    (shown,) = [block for block in blocks("text") if block.startswith("$ dltrain dataset=titanic optimizer=adam\n")]
    # What comes before the run's own directory and numbers is the same wherever it runs.
    before = [line.strip() for line in shown.partition("directory ")[0].splitlines()[1:]]
    assert before == printed[: len(before)]
    (record,) = tmp_path.rglob("run.json")
    assert_run(record.parent)
    assert "optimizer: adagrad" in installed.run("python -m dltrain --help", tmp_path).stdout
    assert "keras.optimizers.Adam" in installed.run("dltrain --cfg job", tmp_path).stdout
    assert "experiment=optimizers" in installed.run("dltrain course 3", tmp_path).stdout


# Those that need the package's YAML of experiments, or start processes; tests/test_readme.py runs the others.
INSTALLED = [line for line in shell_lines(TRAINING) if re.match(r"dltrain (-m|experiment=)", line)]


@pytest.mark.parametrize("line", INSTALLED)
def test_what_can_be_typed(installed: Installed, tmp_path: Path, line: str) -> None:
    if "trainer.epochs=" not in line and "experiment=smoke" not in line:
        line += " trainer.epochs=2"
    done = installed.run(line, tmp_path)
    assert done.stderr == ""
    records = list(tmp_path.rglob("run.json"))
    assert len(records) == (6 if " -m " in line else 1)
    assert all('"status": "completed"' in record.read_text() for record in records)
