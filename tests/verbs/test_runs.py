from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain.cli.main import main
from dltrain.verbs.runs import key_of

Make = Callable[..., Path]
GONE = 2**22 + 1  # more than any process number of Linux


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Writes a run directory: `make("a", status="failed", optimizer="sgd", accuracy=0.5)`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "outputs").mkdir()

    def write(
        name: str, status: str = "completed", accuracy: float | None = None, optimizer: str = "adam", **more: Any
    ) -> Path:
        run = tmp_path / "outputs" / name
        run.mkdir(parents=True)
        settings = {"seed": 1, "optimizer.learning_rate": 0.1} | more.pop("settings", {})
        facts = {
            "status": status,
            "started": f"2026-01-31T10:00:0{len(list((tmp_path / 'outputs').rglob('run.json')))}+00:00",
            "seconds": 2.5,
            "data": {"name": "titanic"},
            "choices": {"dataset": "titanic", "model": "mlp", "optimizer": optimizer},
            "settings": settings,
        }
        (run / "run.json").write_text(json.dumps(facts | more))
        if accuracy is not None:
            scores = {"loss": 1 - accuracy, "accuracy": accuracy}
            (run / "metrics.json").write_text(json.dumps({"train": scores, "validation": scores, "best_epoch": 3}))
        return run

    return write


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["runs", *words]) == 0
    return capsys.readouterr().out


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    return [Path(row["run"]).name for row in json.loads(told(capsys, *words, "--json"))]


def test_table_shows_only_what_differs(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", accuracy=0.75)
    make("b", accuracy=0.5, optimizer="sgd", settings={"units": [2, 3]})
    title, header, first, second = told(capsys).splitlines()
    assert title == "2 runs; all of them: dataset titanic, model mlp, status completed, metric accuracy"
    assert header.split() == ["when", "validation", "time", "optimizer", "units", "run"]
    assert first.split()[2:] == ["0.5000", "2.5", "s", "sgd", "[2,3]", "outputs/b"]
    assert second.split()[2:] == ["0.7500", "2.5", "s", "adam", "outputs/a"]


@pytest.mark.parametrize("width", [80, 120])
def test_table_fits_the_window(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    for number in range(3):
        settings = {f"model.a_long_name_of_a_setting_{key}": number for key in range(5)}
        make(f"2026-01-31/14-05-0{number}_titanic_mlp", accuracy=0.5, settings=settings)
    monkeypatch.setenv("COLUMNS", str(width))
    lines = told(capsys).splitlines()
    assert max(map(len, lines)) <= width
    assert "  outputs/2026-01-31/14-05-02_titanic_mlp" in lines
    assert "Further columns that differ (--csv has all): model.a_long" in " ".join(lines)


def test_a_wide_table_leaves_out_time_before_it_breaks_a_line(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make("a", accuracy=0.5, data={"name": "students"})
    make("b", status="failed", choices={"dataset": "titanic", "model": "text_transformer"})
    for width, shown in ((120, ["when", "time"]), (80, ["when"]), (70, [])):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = told(capsys).splitlines()
        assert max(map(len, lines)) <= width
        assert [name for name in ("when", "time") if name in lines[1].split()] == shown
    assert lines[-1].startswith("Further columns that differ (--csv has all): when, time")


MIXED = [
    ["optimizer=sgd", "trainer.batch_size=8", "quiet=true"],
    ["cv=kfold", "model.units=[64,64]"],
    [f"model.a_setting_with_a_long_name_{number}={number}" for number in range(5)],
]


@pytest.mark.parametrize("width", [80, 100, 160, None])
def test_words_that_were_typed_stand_beside_each_run(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int | None
) -> None:
    for number in range(15):
        settings = {key_of(word): word.partition("=")[2] for word in MIXED[number % 3]}
        more = {"overrides": ["dataset=titanic", "trainer.epochs=9", *MIXED[number % 3]], "settings": settings}
        make(f"2026-01-31/14-05-{number:02}_titanic_mlp", accuracy=0.5, **more)
    if width is not None:
        monkeypatch.setenv("COLUMNS", str(width))
    shown = told(capsys)
    assert max(map(len, shown.splitlines())) <= (width or 120)
    assert len(re.findall(r"trainer\.batch_size=8| 8( |$)", shown, re.MULTILINE)) == 5
    assert shown.count("model.a_setting_with_a_long_name_4=4") == 5
    assert "quiet" not in shown
    assert shown.count("trainer.epochs=9") == 1  # which all of them share


def test_run_on_a_table_of_ones_own_is_called_after_its_file(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", data={"name": "csv"}, settings={"dataset.path": "data/houses.csv.gz"})
    assert "houses" in told(capsys)


def test_filter_and_sort(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", accuracy=0.75)
    make("b", accuracy=0.5, optimizer="sgd", settings={"optimizer.learning_rate": 0.01, "units": [2, 3]})
    make("c", status="failed", error="no end")
    assert listed(capsys) == ["c", "b", "a"]
    assert listed(capsys, "--filter", "status=failed optimizer=adam") == ["c"]
    assert listed(capsys, "--filter", "optimizer!=sgd") == ["c", "a"]
    assert listed(capsys, "--filter", "accuracy>0.5") == ["a"]
    assert listed(capsys, "--filter", "validation.accuracy>=0.5 optimizer.learning_rate<0.05") == ["b"]
    assert listed(capsys, "--filter", "optimizer.learning_rate=1e-2") == ["b"]
    assert listed(capsys, "--filter", "units=[2,3]") == ["b"]
    assert listed(capsys, "--sort", "accuracy") == ["b", "a", "c"]
    assert listed(capsys, "--sort", "-accuracy") == ["a", "b", "c"]
    assert listed(capsys, "--sort=-optimizer", "--limit", "1") == ["b"]
    assert listed(capsys, "--sort", "when") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sort", "acuracy"], "--sort: no run has a 'acuracy'. Did you mean 'accuracy'?"),
        (["--filter", "statsu=failed"], "Did you mean 'status'?"),
        (["--filter", "failed"], "'failed' is not a condition."),
        (["--filter", "accuracy>high"], "compares with 'high', expected a number."),
        (["--limit", "0"], "--limit: expected a number from 1, got 0."),
        (["nowhere"], "There is no folder 'nowhere'."),
        (["--json", "--csv"], "exclude each other"),
    ],
)
def test_bad_words_exit_2(make: Make, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    make("a", accuracy=0.75)
    assert main(["runs", *words]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert message in error


@pytest.mark.parametrize("mark", ["sweep.json", "multirun.yaml"])
def test_sweep_is_one_row_with_its_best_job(make: Make, capsys: pytest.CaptureFixture[str], mark: str) -> None:
    sweep = make("sweeps/s/0", accuracy=0.5).parent
    (sweep / mark).touch()
    make("sweeps/s/1", accuracy=0.75, optimizer="sgd")
    make("sweeps/s/2", status="failed")
    make("single", accuracy=0.6)
    lines = told(capsys).splitlines()
    assert lines[0].startswith("2 runs and sweeps; ")
    assert len(lines) == 4
    assert "sweep of 3: 1 failed" in lines[3]
    assert "0.7500" in lines[3]
    assert "7.5 s" in lines[3]
    assert lines[3].endswith("sgd        outputs/sweeps/s/ (best: 1)")
    assert len(told(capsys, "--jobs").splitlines()) == 6
    assert told(capsys, "outputs/sweeps/s").startswith("3 runs; ")
    assert listed(capsys, "outputs/sweeps/s", "--filter", "sweep=outputs/sweeps/s") == ["2", "1", "0"]
    (sweep / "best.json").write_text('{"job": "0"}')  # by what the sweep itself goes, such as the loss
    assert told(capsys).splitlines()[3].endswith("outputs/sweeps/s/ (best: 0)")


def test_run_over_seeds_is_listed_with_its_means(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    run = make("a", accuracy=0.5)
    metrics = json.loads((run / "metrics.json").read_text())
    metrics["seeds"] = {"validation": {"mean": {"loss": 0.25, "accuracy": 0.75}}}
    (run / "metrics.json").write_text(json.dumps(metrics))
    assert "0.7500" in told(capsys).splitlines()[-1]


def test_sweep_without_a_completed_job_has_no_best_one(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    for job in ("0", "1"):
        (make(f"sweeps/s/{job}", status="failed", accuracy=0.5).parent / "sweep.json").touch()
    assert told(capsys).splitlines()[-1].endswith("outputs/sweeps/s/")


def test_dead_process_is_told_apart_from_a_living_one(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("living", status="running", pid=os.getpid(), host=platform.node())
    make("dead", status="running", pid=GONE, host=platform.node())
    make("elsewhere", status="running", pid=GONE, host="another-machine")
    make("before", status="running")
    rows = json.loads(told(capsys, "--json"))
    assert [row["status"] for row in rows] == ["running", "running", "died", "running"]


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"status": 1, "data": 3}', "\x00"])
def test_damaged_run_is_listed_with_its_fault(make: Make, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (make("broken") / "run.json").write_text(text)
    (make("metrics") / "metrics.json").write_text("[]")
    (make("gone") / "run.json").unlink()
    (Path("outputs") / "gone" / ".hydra").mkdir()
    make("good", accuracy=0.5)
    shown = told(capsys)
    assert "4 runs" in shown
    assert "damaged: outputs/broken: " in shown
    assert "damaged: outputs/gone: no run.json" in shown
    rows = {Path(row["run"]).name: row for row in json.loads(told(capsys, "--json"))}
    assert rows["broken"]["fault"]
    assert "fault" not in rows["good"]


def test_csv_is_data_alone(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", accuracy=0.75)
    make("b", accuracy=0.5, settings={"seed": 2})
    rows = list(csv.DictReader(io.StringIO(told(capsys, "--csv"))))
    assert [(row["run"], row["seed"], row["validation.accuracy"]) for row in rows] == [
        ("outputs/b", "2", "0.5"),
        ("outputs/a", "1", "0.75"),
    ]


def test_letters_that_steer_a_terminal_are_not_printed(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", data={"name": "\x1b[31mred"})
    assert "\x1b" not in told(capsys)


def test_runs_of_older_versions_are_read_from_yaml(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    for name, optimizer in (("a", "adam"), ("b", "sgd")):
        run = make(name)
        (run / "run.json").write_text(json.dumps({"status": "completed", "started": "2026-01-01T00:00:00+00:00"}))
        (run / ".hydra").mkdir()
        choices = f"dataset: wine, model: linear, optimizer: {optimizer}"
        (run / ".hydra/hydra.yaml").write_text(f"hydra: {{runtime: {{choices: {{{choices}}}}}}}")
        (run / ".hydra/config.yaml").write_text("{seed: 1, copy: '${seed}'}")
        (run / "config.yaml").write_text(f"{{seed: 1, copy: {name}}}")
    title, header, *_ = told(capsys).splitlines()
    assert title == "2 runs; all of them: dataset wine, model linear, status completed"
    assert header.split() == ["when", "optimizer", "run"]


def test_mean_over_folds_stands_for_validation(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    results = {"train": {"accuracy": 0.9}, "cross_validation": {"mean": {"loss": 0.5, "accuracy": 0.75}}}
    (make("a") / "metrics.json").write_text(json.dumps(results))
    (row,) = json.loads(told(capsys, "--json"))
    assert (row["metric"], row["validation"], row["validation.loss"]) == ("accuracy", 0.75, 0.5)


def test_empty_folder_says_so(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == "No run below 'outputs'.\n"
    assert told(capsys, "--json") == "[]\n"


def test_nothing_heavy_is_imported(make: Make) -> None:
    make("a", accuracy=0.75)
    code = (
        "import sys; from dltrain.cli.main import main; main(['runs']);"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'pandas', 'numpy') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "[]"
