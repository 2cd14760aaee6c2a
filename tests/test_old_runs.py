"""Runs and sweeps that dltrain wrote before its modules moved, taken through every verb; see old_runs/make.py."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

import dltrain
from dltrain.cli.main import main
from dltrain.config.compose import Composer
from dltrain.config.fingerprint import EARLIER_DEFAULTS, fingerprint
from dltrain.config.hydra_node import resolving
from dltrain.config.search_dimension import text_of
from dltrain.sweeps.start import EARLIER_MODELS

ARCHIVES = Path(__file__).parent / "old_runs"
TASKS = ("binary", "multiclass", "multilabel", "regression", "unit_regression", "gaussian_regression")
FINISHED = (*TASKS, "tabular", "text", "image", "cv", "seeds")
# Another processor may add numbers up in another order than the one that wrote the runs.
ROUNDING = 1e-4


def as_typed_then(words: list[str]) -> list[str]:
    """The words of an old run, with what its version did without a key for it."""
    config = Composer().compose(words)
    earlier = {key: value for key, value in EARLIER_DEFAULTS.items() if OmegaConf.select(config, key) is not None}
    if config.hydra.runtime.choices.model == "auto":
        words = [*EARLIER_MODELS[config.dataset._target_], "dataset.size=64", *words]
    if OmegaConf.select(config, "model.clamp") is not None:
        words = [*words, "model.clamp=true"]  # another default since
    return [*words, *(f"{key}={text_of(value)}" for key, value in earlier.items())]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All old runs and sweeps, which tests only add to."""
    folder = tmp_path_factory.mktemp("old")
    for packed in ("runs", "sweeps"):
        with tarfile.open(ARCHIVES / f"{packed}.tar.gz") as files:
            files.extractall(folder, filter="data")
    return folder


@pytest.fixture(autouse=True)
def old(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(archive)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return archive


@pytest.fixture
def copied(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """`copied(NAME)`: a run or sweep that may be changed, in a working directory of its own."""

    def copy(name: str) -> Path:
        shutil.copytree(archive / name, tmp_path / name)
        monkeypatch.chdir(tmp_path)
        return tmp_path / name

    return copy


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """`told(*words)`: what a verb prints as JSON."""

    def tell(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert main([*words, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return tell


def _json(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _histories_agree(one: Path, other: Path) -> None:
    first, second = _rows(one / "history.csv"), _rows(other / "history.csv")
    assert len(first) == len(second)
    for before, after in zip(first, second, strict=True):
        assert {name: float(cell) for name, cell in before.items()} == pytest.approx(
            {name: float(cell) for name, cell in after.items()}, abs=ROUNDING
        )


def test_runs_lists_all_of_them(told: Callable[..., Any]) -> None:
    status = {row["run"]: row["status"] for row in told("runs", ".", "--jobs")}
    assert {name: status[f"./{name}"] for name in FINISHED} == dict.fromkeys(FINISHED, "completed")
    assert status["./interrupted"] == "interrupted"
    assert status["./sweep/0"] == status["./search/0"] == "completed"


@pytest.mark.parametrize("name", [*FINISHED, "interrupted", "sweep/0", "search/0", "search/2"])
def test_fingerprint_of_a_config_is_what_it_was(old: Path, name: str) -> None:
    facts = _json(old / name / "run.json")
    config = Composer().compose(as_typed_then(facts["overrides"]))
    with resolving(config):
        assert fingerprint(config) == facts["config_sha256"]


@pytest.mark.parametrize(
    "name",
    [
        each if each in ("gaussian_regression", "tabular", "seeds") else pytest.param(each, marks=pytest.mark.slow)
        for each in FINISHED
    ],
)
def test_reproduce_finds_the_same(
    told: Callable[..., Any], capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    main(["reproduce", name, "--output", str(tmp_path / "again"), "--json"])
    every = [each for each in json.loads(capsys.readouterr().out)["differences"] if each["matters"]]
    # The interval of a mean over seeds ran past the range of its metric then.
    found = [each for each in every if ".interval." not in each["name"]]
    assert {each["where"] for each in found} <= {"history", "metrics", "predictions"}
    assert [each for each in found if not (each["largest"] or 1) < ROUNDING] == []
    settings = told("compare", name, str(tmp_path / "again"))["settings"]
    assert settings == {}


@pytest.mark.parametrize("name", FINISHED)
def test_model_gives_the_recorded_answers(old: Path, name: str) -> None:
    from dltrain.inference.overlap import run_dataset
    from dltrain.models.ensemble import predict

    model = dltrain.load(name)
    dataset, _ = run_dataset(model.record)
    columns = model.name(predict(model.network, dataset))
    position = {str(row): place for place, row in enumerate(dataset.row_ids)}
    recorded = _rows(old / name / "predictions.csv")
    answers = [column for column in recorded[0] if column in columns and column.startswith(("probability", "standard"))]
    for row in recorded:
        for column in answers or [each for each in columns if each.startswith("prediction")]:
            assert float(row[column]) == pytest.approx(columns[column][position[row["row_id"]]], abs=ROUNDING)


@pytest.mark.parametrize("name", [*TASKS, "tabular", "text", "image", "interrupted"])
def test_checkpoint_loads_with_its_loss_and_metrics(name: str) -> None:
    import keras

    from dltrain.models import gaussian, losses, members  # noqa: F401  which register their classes

    model = keras.models.load_model(f"{name}/checkpoints/best.keras")
    assert model.loss is not None
    assert model.optimizer.iterations > 0


def test_predict_and_evaluate_read_the_table_of_the_run(old: Path, told: Callable[..., Any], tmp_path: Path) -> None:
    assert main(["predict", "binary", "--input", "table.csv", "--output", str(tmp_path / "out.csv")]) == 0
    recorded = {row["row_id"]: row["prediction"] for row in _rows(old / "binary" / "predictions.csv")}
    assert [row["prediction"] for row in _rows(tmp_path / "out.csv")] == [recorded[str(row)] for row in range(60)]
    assert told("evaluate", "binary", "--data", "table.csv")["rows"] == 60


@pytest.mark.parametrize("name", ["gaussian_regression", "cv", "seeds"])
def test_report_is_written(copied: Callable[[str], Path], name: str) -> None:
    path = copied(name)
    assert main(["report", name]) == 0
    assert "</html>" in (path / "report.html").read_text("utf-8")


@pytest.mark.parametrize("form", ["saved_model", pytest.param("onnx", marks=pytest.mark.slow)])
def test_export_agrees_with_the_model(tmp_path: Path, form: str) -> None:
    assert main(["export", "regression", "--format", form, "--output", str(tmp_path / "exported")]) == 0
    assert any((tmp_path / "exported").iterdir())


def test_serve_answers(old: Path) -> None:
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from dltrain.serving.app import make_app

    rows = [{"age": 40, "city": "Bern", "income": 30.0}, {"age": 20, "city": "Oslo", "income": None}]
    with TestClient(make_app(dltrain.load("binary"), max_rows=9, max_bytes=9_999, wait=0)) as client:
        answered = client.post("/predict", json={"rows": rows})
    assert answered.status_code == 200
    assert len(answered.json()["rows"]) == 2


def test_interrupted_run_goes_on_to_where_one_in_one_go_ends(copied: Callable[[str], Path]) -> None:
    path = copied("interrupted")
    facts = _json(path / "run.json")
    assert len(_rows(path / "history.csv")) == 3
    assert main(["resume", "interrupted"]) == 0
    assert _json(path / "run.json")["status"] == "completed"
    assert main([*as_typed_then(facts["overrides"]), "hydra.run.dir=whole"]) == 0
    _histories_agree(path, path.with_name("whole"))


def test_finished_run_trains_for_longer(copied: Callable[[str], Path]) -> None:
    path = copied("multiclass")
    assert main(["resume", "multiclass", "trainer.epochs=3"]) == 0
    assert len(_rows(path / "history.csv")) == 3


@pytest.mark.parametrize(
    ("name", "finished", "cut_off", "jobs"), [("sweep", ("0", "1"), ["2"], 4), ("search", ("0", "1", "2"), [], 5)]
)
def test_half_done_sweep_goes_on_and_repeats_nothing(
    copied: Callable[[str], Path], name: str, finished: tuple[str, ...], cut_off: list[str], jobs: int
) -> None:
    """The sweep was killed in its third job, after two of three epochs; the search had Ctrl-C after three of five."""
    path = copied(name)
    before = {job: (path / job / "run.json").read_bytes() for job in finished}
    lines = (path / "sweep.jsonl").read_text("utf-8").splitlines()
    assert main(["resume", name]) == 0
    assert {job: (path / job / "run.json").read_bytes() for job in finished} == before
    assert [file.parent.name for file in path.glob("*/run.json") if "resumed" in _json(file)] == cut_off
    after = (path / "sweep.jsonl").read_text("utf-8").splitlines()
    assert after[: len(lines)] == lines
    entries = [json.loads(line) for line in after]
    assert sorted(entry["job"] for entry in entries) == [str(number) for number in range(jobs)]
    assert {entry["status"] for entry in entries} == {"completed"}
    assert len({entry["key"] for entry in entries}) == jobs
    best = min(entries, key=lambda entry: entry["value"])
    assert _json(path / "best.json")["value"] == best["value"]
    assert main(["resume", name]) == 0
    assert (path / "sweep.jsonl").read_text("utf-8").splitlines() == after
    assert main(["report", name]) == 0
    # Who types the command again may use the paths of today.
    words = [
        word.replace("dltrain.objectives.", "dltrain.models.losses.") for word in _json(path / "sweep.json")["words"]
    ]
    assert main([*words, f"hydra.sweep.dir={name}"]) == 0
    assert (path / "sweep.jsonl").read_text("utf-8").splitlines() == after


def test_folder_of_a_user_may_name_the_old_paths(
    told: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for group, text in {
        "callbacks": "shown:\n  _target_: dltrain.progress.Progress\n",
        "task": (
            "name: gaussian_regression\nactivation: null\nmonitor: val_loss\nclass_weight: null\n"
            "loss:\n  _target_: dltrain.gaussian.GaussianNegativeLogLikelihood\n"
            "metrics:\n  mae:\n    _target_: dltrain.gaussian.MeanAbsoluteErrorOfMean\n"
        ),
    }.items():
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / "conf" / group / "mine.yaml").write_text(text)
    small = ("dataset=synthetic", "dataset.problem=regression", "dataset.rows=60", "trainer.epochs=1", "quiet=true")
    words = ["--config-dir", "conf", *small, "model.units=[2]", "report=false", "callbacks=[default,mine]", "task=mine"]
    assert main([*words, "hydra.run.dir=run"]) == 0
    config = OmegaConf.load("run/config.yaml")
    assert config.callbacks.shown._target_ == "dltrain.training.progress.Progress"
    assert config.task.loss._target_ == "dltrain.models.gaussian.GaussianNegativeLogLikelihood"
    explained = told("why", "task.loss._target_", *words)
    assert explained["value"] == config.task.loss._target_
