from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain.cli.main import main

Make = Callable[..., str]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Writes a run: `make("a", right=15, optimizer="sgd")` answers the first 15 of 20 test rows rightly."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def write(name: str, right: int = 15, part: str = "test", optimizer: str = "adam", **more: Any) -> str:
        run = tmp_path / name
        run.mkdir()
        scores = {"loss": 1 - right / 20, "accuracy": right / 20}
        facts = {
            "status": "completed",
            "seconds": 2.5,
            "data": {"name": "titanic", "rows": 60, "sha256": more.get("sha256", "0" * 64)},
            "versions": {"keras": more.get("keras", "3.15")},
            "git": {"commit": more.get("commit", "c" * 40), "changed_files": 0},
            "choices": {"model": "mlp", "optimizer": optimizer},
            "settings": {"seed": 1} | more.get("settings", {}),
        }
        (run / "run.json").write_text(json.dumps(facts))
        metrics = {"validation": scores, "test": scores, "best_epoch": 2} | more.get("metrics", {})
        (run / "metrics.json").write_text(json.dumps(metrics))
        (run / "history.csv").write_text(f"epoch,loss,val_loss,val_accuracy\n1,1,1,0.5\n2,0.5,{scores['loss']},0.6\n")
        if "predictions" in more:
            (run / "predictions.csv").write_text(more["predictions"])
        elif right >= 0:
            offset = more.get("first_row", 0)
            lines = [f"{row + offset},{part},yes,{'yes' if row < right else 'no'},0.5" for row in range(20)]
            (run / "predictions.csv").write_text("\n".join(["row_id,part,target,prediction,probability_yes", *lines]))
        return name

    return write


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["compare", *words]) == 0
    return capsys.readouterr().out


def outcome_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    return json.loads(told(capsys, *words, "--json"))["tests"]


def test_everything_stands_side_by_side(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", right=18)
    make("b", right=8, optimizer="sgd", keras="3.16", commit="d" * 40)
    shown = told(capsys, "a", "b")
    lines = [line.split() for line in shown.splitlines()]
    assert ["optimizer", "adam", "sgd"] in lines
    assert ["keras", "3.15", "3.16"] in lines
    assert ["commit", "c" * 12, "d" * 12] in lines
    assert ["test", "accuracy", "0.9000", "0.4000", "-0.5000"] in lines
    assert "same data\n" in shown
    assert "1 |*" in shown  # both begin with a loss of 1
    joined = " ".join(shown.split())
    assert (
        "B against A: accuracy -0.5000 on 20 common test rows, p = 0.002 (McNemar's exact test; only the first is "
        "right on 10 rows, only the second on 0): more than noise."
    ) in joined
    assert max(map(len, shown.splitlines())) <= 80


def test_validation_rows_stand_in_for_a_test_part_that_was_not_scored(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    make("a", part="validation")
    make("b", part="validation", right=14)
    (found,) = outcome_of(capsys, "a", "b")["B"]["findings"]
    assert found["on"] == "20 common validation rows"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"first_row": 15}, "have 5 rows in common"),
        ({"part": "validation"}, "they scored different parts"),
        ({"right": -1}, "a run has no predictions.csv"),
        (
            {
                "predictions": "row_id,part,target,prediction,probability_yes\n"
                + "".join(f"{row},test,no,no,0\n" for row in range(20))
            },
            "the same row ids have other targets",
        ),
        (
            {"predictions": "row_id,part,target,prediction\n" + "".join(f"{row},test,1,2\n" for row in range(20))},
            "one run predicts classes, the other does not",
        ),
        ({"predictions": "\n"}, "does not have the columns"),
    ],
)
def test_no_test_is_valid_where_nothing_can_be_paired(
    make: Make, capsys: pytest.CaptureFixture[str], other: dict[str, Any], reason: str
) -> None:
    make("a")
    make("b", **other)
    shown = " ".join(told(capsys, "a", "b").split())
    assert "B against A: no test is valid." in shown
    assert reason in shown


def test_regression_compares_root_mean_squared_errors(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    for name, error in (("a", 1.0), ("b", 3.0)):
        rows = "".join(f"{row},test,{row},{row + error * (1 + row % 2)}\n" for row in range(20))
        make(name, predictions=f"row_id,part,target,prediction\n{rows}")
    (found,) = outcome_of(capsys, "a", "b")["B"]["findings"]
    assert (found["metric"], found["difference"]) == ("rmse", pytest.approx(2 * 2.5**0.5))
    assert found["interval"][0] < found["difference"] < found["interval"][1]


def test_multilabel_compares_shares_of_labels(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    head = "row_id,part,target_x,prediction_x,probability_x,target_y,prediction_y,probability_y\n"
    for name, answer in (("a", 1), ("b", 0)):
        make(name, predictions=head + "".join(f"{row},test,1,1,1,1,{answer},0\n" for row in range(20)))
    (found,) = outcome_of(capsys, "a", "b")["B"]["findings"]
    assert (found["metric"], found["difference"]) == ("accuracy of the labels", -0.5)


def test_folds_and_seeds_are_paired(make: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, gain in (("a", 0.0), ("b", 0.1)):
        seeds = [{"seed": seed, "test": {"accuracy": 0.5 + gain + seed / 1000 * (1 + gain)}} for seed in range(6)]
        make(name, right=-1, metrics={"seeds": {"runs": seeds}}, settings={"cv.folds": 4})
        (tmp_path / name / "cv").mkdir()
        folds = [{"loss": 0.5, "accuracy": 0.5 + gain * (1 + fold / 10)} for fold in range(4)]
        (tmp_path / name / "cv" / "summary.json").write_text(json.dumps({"folds": folds, "mean": {}, "sd": {}}))
    found, seeds = outcome_of(capsys, "a", "b")["B"]["findings"]
    assert (found["name"], found["on"]) == ("corrected resampled t test", "4 common folds")
    assert found["p_value"] < 0.01
    assert (seeds["name"], seeds["on"], seeds["p_value"]) == ("Wilcoxon's signed-rank test", "6 common seeds", 0.03125)


def test_folds_of_other_rows_are_not_paired(make: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        make(name, right=-1, settings={"seed": seed})
        (tmp_path / name / "cv").mkdir()
        (tmp_path / name / "cv" / "summary.json").write_text(json.dumps({"folds": [{"loss": 1}, {"loss": 2}]}))
    answer = outcome_of(capsys, "a", "b")["B"]
    assert answer["findings"] == []
    assert any("they hold other rows, since the runs differ in seed" in reason for reason in answer["no_test"])


def test_one_question_has_one_verdict(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    # Five rows of 20: of the bootstrap's draws 0.4 % hold none of them, McNemar's p value is 0.0625.
    make("a", right=15)
    make("b", right=10)
    shown = " ".join(told(capsys, "a", "b").split())
    assert "p = 0.062 (McNemar's exact test;" in shown
    assert "noise alone may explain it" in shown
    assert "more than noise." not in shown
    assert "bootstrap" not in shown
    assert "(paired bootstrap)" in " ".join(told(capsys, "a", "b", "--verbose").split())
    names = [
        found["name"] for found in json.loads(told(capsys, "a", "b", "--json", "--verbose"))["tests"]["B"]["findings"]
    ]
    assert names == ["McNemar's exact test", "paired bootstrap"]


def test_pairs_that_do_not_vary_have_no_verdict(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a")
    make("b")
    shown = " ".join(told(capsys, "a", "b").split())
    assert "accuracy +0.0000 on 20 common test rows: no p value (McNemar's exact test; both are right on the" in shown
    assert "may explain it" not in shown


def test_several_runs_are_corrected_by_holm(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a", right=19)
    make("b", right=12)
    make("c", right=11)
    found = outcome_of(capsys, "a", "b", "c")
    mcnemar = [found[letter]["findings"][0] for letter in "BC"]
    assert [each["p_value_holm"] for each in mcnemar] == pytest.approx(
        [max(mcnemar[0]["p_value"], 2 * mcnemar[1]["p_value"]), 2 * mcnemar[1]["p_value"]]
    )
    assert "corrected for 2 comparisons (Holm)" in told(capsys, "a", "b", "c")


def test_csv_and_json_are_data_alone(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    make("a")
    make("b", optimizer="sgd")
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(told(capsys, "a", "b", "--csv", "--plot", "c.svg")))}
    assert (rows["optimizer"]["a"], rows["optimizer"]["b"]) == ("adam", "sgd")
    assert Path("c.svg").exists()
    answer = json.loads(told(capsys, "a", "b", "--json"))
    assert answer["settings"] == {"optimizer": ["adam", "sgd"]}
    assert answer["runs"]["B"] == {"run": "b", "status": "completed"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a"], "takes 2 to 26 runs, got 1."),
        (["a", "nowhere"], "The run directory 'nowhere' does not exist."),
        (["a", "a", "--plot", "c.txt"], "--plot: 'c.txt' should end with"),
        (["a", "a", "--curve", "val_los"], "Did you mean 'val_loss'?"),
    ],
)
def test_bad_words_exit_2(make: Make, capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    make("a")
    assert main(["compare", *words]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert message in error


def test_run_that_ended_early_is_shown_as_far_as_it_went(
    make: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make("a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "run.json").write_text('{"status": "failed"}')
    shown = told(capsys, "a", "b")
    assert "B  b  (failed)" in shown
    assert "no test is valid" in shown


def test_nothing_heavy_is_imported(make: Make) -> None:
    make("a")
    make("b")
    code = (
        "import sys; from dltrain.cli.main import main; main(['compare', 'a', 'b']);"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'pandas', 'matplotlib') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == "[]"


def test_losses_of_two_tasks_are_not_subtracted(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    for number, (task, subtracted) in enumerate((("binary", True), ("regression", False))):
        runs = (
            make(f"a{number}", settings={"task.name": "binary"}),
            make(f"b{number}", 12, settings={"task.name": task}),
        )
        rows = {line.split("  ")[0]: line.split() for line in told(capsys, *runs).splitlines() if line}
        assert len(rows["test loss"]) == (5 if subtracted else 4)
        assert len(rows["test accuracy"]) == 5
