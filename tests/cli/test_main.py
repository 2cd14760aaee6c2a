from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dltrain.base.errors import DataError, RunError
from dltrain.cli import main as cli
from dltrain.internals import tensorflow_quietly

Job = Callable[[DictConfig], Any]


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Job], None]:
    """Puts a function in the place of `dltrain.experiment.run.run_job`."""

    def replace(job: Job) -> None:
        module = types.ModuleType("dltrain.experiment.run")
        module.run_job = lambda config, after_run, shows: job(config)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "dltrain.experiment.run", module)

    return replace


def output() -> Path:
    return Path(HydraConfig.get().runtime.output_dir)


def complete(config: DictConfig) -> float:
    (output() / "run.json").write_text(json.dumps({"status": "completed"}))
    return 0.5


def runs(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.rglob(".hydra"))


def test_run_gets_its_config_and_a_directory(working_directory: Path, fake_run: Callable[[Job], None]):
    seen: list[DictConfig] = []

    def job(config: DictConfig) -> float:
        seen.append(config)
        return complete(config)

    fake_run(job)
    tensorflow_quietly.load()  # whose import sets variables of its own
    argv, environment = list(sys.argv), dict(os.environ)
    assert cli.main(["trainer.epochs=3", "-v"]) == 0
    assert seen[0].trainer.epochs == 3
    assert seen[0].verbose is True
    (directory,) = runs(working_directory)
    assert directory.parts[-3] == "outputs"
    assert (sys.argv, dict(os.environ)) == (argv, environment)


def test_runs_do_not_share_a_directory(
    working_directory: Path, fake_run: Callable[[Job], None], capsys: pytest.CaptureFixture[str]
):
    fake_run(complete)
    assert [cli.main(["seed=42"]) for _ in range(3)] == [0, 0, 0]
    assert len(runs(working_directory)) == 3
    assert [cli.main(["hydra.run.dir=same"]) for _ in range(2)] == [0, 2]
    assert "hydra.run.dir: 'same' holds another run (run.json)." in capsys.readouterr().err
    assert len(runs(working_directory)) == 4


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["dataset=csv", "dataset.path=data/my houses.csv.gz", "dataset.target=a", "model=mlp"], "_my_houses_mlp"),
        (
            [
                "dataset=csv",
                "dataset.path=data/my houses.csv.gz",
                "dataset.target=a",
                "model=mlp",
                "dataset.name=homes",
            ],
            "_homes_mlp",
        ),
        (["dataset=wine"], "_wine_mlp"),
    ],
)
def test_directory_is_named_after_the_file(
    working_directory: Path, fake_run: Callable[[Job], None], words: list[str], name: str
):
    (working_directory / "data").mkdir()
    (working_directory / "data" / "my houses.csv.gz").touch()
    fake_run(complete)
    assert cli.main([word.replace(" ", "\\ ") for word in words]) == 0
    (directory,) = runs(working_directory)
    assert directory.name.endswith(name)


def test_directory_with_odd_letters_reaches_hydra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_run: Callable[[Job], None]
):
    odd = tmp_path / "it's a, [b] {c}=d"
    odd.mkdir()
    monkeypatch.chdir(odd)
    fake_run(complete)
    assert cli.main(["seed=42"]) == 0
    assert len(runs(odd / "outputs")) == 1
    assert cli.main([r"hydra.run.dir='it\'s, [b]'"]) == 0
    assert (odd / "it's, [b]" / "run.json").exists()


def test_config_faults_exit_2_and_write_nothing(
    working_directory: Path, fake_run: Callable[[Job], None], capsys: pytest.CaptureFixture[str]
):
    fake_run(lambda config: pytest.fail("the job ran"))
    assert cli.main(["optimizer=adm", "trainer.epohcs=3"]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert [line.partition(":")[0] for line in error.splitlines()] == ["error", "error"]
    assert list(working_directory.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "code", "kept"),
    [
        (DataError("bad cell"), 2, False),
        (RunError("no end"), 1, True),
        (KeyboardInterrupt(), 130, False),
        (SystemExit(143), 143, True),
    ],
)
def test_exit_code_of_a_failed_job(
    working_directory: Path,
    fake_run: Callable[[Job], None],
    capsys: pytest.CaptureFixture[str],
    raised: BaseException,
    code: int,
    kept: bool,
):
    def job(config: DictConfig) -> None:
        raise raised

    fake_run(job)
    assert cli.main(["seed=42"]) == code
    error = capsys.readouterr().err
    assert error == (f"error: {raised}\n" if isinstance(raised, DataError | RunError) else "")
    assert bool(runs(working_directory)) is kept


def test_bug_shows_its_traceback(fake_run: Callable[[Job], None], capsys: pytest.CaptureFixture[str]):
    fake_run(lambda config: {}["nowhere"])
    assert cli.main(["seed=42"]) == 1
    error = capsys.readouterr().err
    assert "KeyError: 'nowhere'" in error
    assert "HYDRA_FULL_ERROR" not in error
    assert "Error executing job" not in error


def test_failed_job_does_not_stop_the_sweep(
    working_directory: Path, fake_run: Callable[[Job], None], capsys: pytest.CaptureFixture[str]
):
    def job(config: DictConfig) -> float:
        if config.seed == 1:
            raise DataError("bad cell")
        return complete(config)

    fake_run(job)
    assert cli.main(["seed=1,2,3", "-m", "optimizer=sgd"]) == 1
    out, error = capsys.readouterr()
    assert "[1/3] seed=1  failed: bad cell" in out
    assert error == ""
    assert len(runs(working_directory)) == 3
    assert cli.main(["-m", "seed=2,3"]) == 0


def test_job_that_did_not_complete_elsewhere_fails_the_sweep(fake_run: Callable[[Job], None]):
    def job(config: DictConfig) -> None:
        (output() / "run.json").write_text(json.dumps({"status": "running"}))

    fake_run(job)
    assert cli.main(["-m", "seed=1,2"]) == 1


def test_faulty_sweep_starts_no_job(working_directory: Path, fake_run: Callable[[Job], None]):
    fake_run(lambda config: pytest.fail("a job ran"))
    assert cli.main(["-m", "seed=1,2", "optimizer=adam,adm"]) == 2
    assert list(working_directory.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "expected a verb or key=value, got 'trian'. Did you mean dltrain"),
        (["titanic"], "got 'titanic'. Did you mean dltrain dataset=titanic?"),
        (
            ["--cfg", "job", "trainer.epohcs=3"],
            "trainer.epohcs: there is no such key. Did you mean trainer.epochs=3?",
        ),
        (["--resolve"], "--resolve"),
        (["--cfg", "job", "-m"], "Only one of"),
        (["--bogus"], "expected a flag of dltrain, got '--bogus'"),
        (["--run", "search=random"], "--run has no effect on a sweep"),
        (["--config-dir", "nope"], "--config-dir expects a folder, there is none at 'nope'."),
        (["hydra/launcher=nope"], "hydra/launcher: there is no option 'nope'."),
    ],
)
def test_usage_errors_exit_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(words) == 2
    out, error = capsys.readouterr()
    assert message in error
    assert "Traceback" not in error
    assert out == ""


def test_verb_gets_the_other_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    verb = types.SimpleNamespace(main=len)
    monkeypatch.setitem(sys.modules, "dltrain.verbs.resume", types.SimpleNamespace(VERB=verb))
    assert cli.main(["resume", "a", "--json", "b"]) == 3
    assert cli.main(["resme"]) == 2
    assert "Did you mean dltrain resume?" in capsys.readouterr().err


def test_flags_of_hydra_work(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["--help"]) == 0
    assert "optimizer: " in capsys.readouterr().out
    assert cli.main(["seed=7", "--cfg", "job", "optimizer=sgd", "--package", "optimizer"]) == 0
    assert "keras.optimizers.SGD" in capsys.readouterr().out
    handlers = list(logging.getLogger().handlers)
    assert cli.main(["--info", "searchpath"]) == 0
    assert logging.getLogger().handlers == handlers
    assert "conf" in capsys.readouterr().out
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("dltrain ")


def test_own_folder_and_class(working_directory: Path, fake_run: Callable[[Job], None]):
    (working_directory / "mine" / "optimizer").mkdir(parents=True)
    (working_directory / "class_for_a_test.py").write_text("class Mine:\n    def __init__(self, rate): ...\n")
    file = working_directory / "mine" / "optimizer" / "own.yaml"
    file.write_text("_target_: class_for_a_test.Mine\nrate: 1\n")
    fake_run(complete)
    assert cli.main(["--config-dir", "mine", "optimizer=own", "optimizer.rat=3"]) == 2
    assert cli.main(["--config-dir", "mine", "optimizer=own"]) == 0


@pytest.mark.parametrize("words", [["--help"], ["--cfg", "job"], ["optimizer=adm"], ["--version"]])
def test_answers_without_heavy_imports(words: list[str]):
    heavy = ("tensorflow", "keras", "sklearn", "pandas", "numpy", "matplotlib")
    code = (
        f"import sys; from dltrain.cli.main import main; main({words!r});"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("swept", "expected"),
    [("optimizer=adam,sgd", "never"), ("seed=1,2", "always"), ("seed=1,2 optimizer=adam,sgd", "never")],
)
def test_only_a_sweep_over_seeds_scores_its_test_parts(fake_run: Callable[[Job], None], swept: str, expected: str):
    seen: list[str] = []

    def job(config: DictConfig) -> float:
        seen.append(config.score_test)
        return complete(config)

    fake_run(job)
    assert cli.main(["-m", *swept.split()]) == 0
    assert set(seen) == {expected}
