from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import json
import logging
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dltrain.cli.main import main
from dltrain.config.tasks import TASKS
from dltrain.inference.model import Model
from dltrain.inference.overlap import run_dataset
from dltrain.report.answers import read_answers
from dltrain.report.figures import learning_curves
from dltrain.report.report import write_report
from dltrain.report.what_if import what_if

SMALL = ("model.units=[2]", "report=true", "score_test=always", "dataset.rows=80", "trainer.epochs=2")
PROBLEMS = ("binary", "multiclass", "multilabel", "regression")
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def reported(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    runs: dict[str, Any] = {}

    def report(problem: str) -> Any:
        if problem not in runs:
            runs[problem] = run_in(tmp_path_factory.mktemp(problem), *SMALL, f"dataset.problem={problem}")
        return runs[problem]

    return report


def page_of(run: Any) -> str:
    return str((run.path / "report.html").read_text())


class Outline(HTMLParser):
    """Headings, ids and labels of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "svg":
            assert values["role"] == "img"
            self.named += str(values["aria-labelledby"]).split() if values.get("class") != "curve" else []
            assert values.get("aria-label", "named") != ""


@pytest.mark.parametrize("problem", PROBLEMS)
class TestEveryTask:
    def test_is_one_file_that_runs_its_own_script_and_has_no_addresses(self, reported: Any, problem: str) -> None:
        run = reported(problem)
        assert not [each for each in run.json("run.json")["warnings"] if "report" in each]
        page = page_of(run)
        outline = Outline(page)
        content, script = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
        assert outline.tags.count("script") == 2
        assert json.loads(content) == run.json("what_if.json")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in page
        assert "link" not in outline.tags
        addresses = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
        assert all(address.startswith("data:") for address in addresses)

    def test_can_be_read_without_eyes(self, reported: Any, problem: str) -> None:
        page = page_of(reported(problem))
        outline = Outline(page)
        assert '<html lang="en">' in page
        assert outline.levels[0] == 1
        assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
        assert len(outline.ids) == len(set(outline.ids))
        assert set(outline.named) <= set(outline.ids)
        assert page.count("<caption>") == page.count("<table>")
        assert '<a class="skip" href="#main">' in page

    def test_each_picture_is_a_file_too(self, reported: Any, problem: str) -> None:
        run = reported(problem)
        files = sorted(file.stem for file in (run.path / "plots").glob("*.svg"))
        assert len(files) == page_of(run).count("<figure>")
        expected = {
            "binary": {"confusion_matrix", "roc", "precision_recall", "calibration", "thresholds"},
            "multiclass": {"confusion_matrix", "roc", "calibration"},
            "multilabel": {"roc", "precision_recall", "calibration"},
            "regression": {"predicted_true", "residuals", "residual_counts"},
        }[problem]
        assert expected | {"curve_loss", "importance", "gradients"} <= set(files)
        for file in (run.path / "plots").glob("*.svg"):
            text = file.read_text()
            assert "var(" not in text
            assert not re.search(r"#(0[1-9a-b])\1\1\b", text)

    def test_says_the_numbers_of_the_run(self, reported: Any, problem: str) -> None:
        run = reported(problem)
        metrics, page = run.json("metrics.json"), page_of(run)
        name = next(name for name in metrics["test"] if name != "loss")
        assert f"{name} {metrics['test'][name]:.4f}" in page
        assert f"{metrics['best_epoch']} of 2" in page
        worst = "Largest errors" if problem == "regression" else "Worst mistakes"
        for word in ("Diagnosis", worst, "model.units (typed)", run.json("run.json")["data"]["sha256"]):
            assert word in page


def test_insights_agree_with_the_predictions(reported: Any) -> None:
    run = reported("multiclass")
    insights = run.json("insights.json")
    table = pd.read_csv(run.path / "predictions.csv", dtype={"target": str, "prediction": str})
    rows = table[table["part"] == "validation"]
    given = np.array([row[f"probability_{row['target']}"] for _, row in rows.iterrows()])
    worst = rows.iloc[int(np.argmin(given))]
    first = insights["mistakes"][0]
    assert first["row_id"] == str(worst["row_id"])
    assert first["loss"] == pytest.approx(-np.log(given.min()), rel=1e-4)
    assert first["target"] == worst["target"]
    importance = insights["importance"]
    assert importance["rows"] == len(rows)
    assert importance["loss"] == pytest.approx(-np.log(given).mean(), rel=1e-4)
    assert {each["column"] for each in importance["columns"]} == set(first["columns"])
    assert [layer["name"] for layer in insights["layers"]][-1] == "head"


def test_panel_has_the_mean_of_the_predictions_with_each_value(reported: Any) -> None:
    run = reported("multiclass")
    model, content = Model(run.path), run.json("what_if.json")
    dataset, parts = run_dataset(model.record)
    rows = dataset.take(parts["validation"])
    assert (content["part"], content["rows"]) == ("validation", len(rows))
    for column in content["columns"]:
        cells = {name: each.tolist() for name, each in rows.columns.items()}
        cells[column["name"]] = [column["curve"][-1]] * len(rows)
        answers = model.predict(pd.DataFrame(cells)).filter(like="probability")
        np.testing.assert_allclose(column["average"][-1], answers.mean().to_numpy(), rtol=1e-4)


def test_model_that_a_page_cannot_compute_has_a_reason_in_place_of_the_panel(
    reported: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    model = Model(reported("binary").path)
    dataset, parts = run_dataset(model.record)
    monkeypatch.setattr("dltrain.exporting.program.MOST_BYTES", 100)
    monkeypatch.setattr(logging.getLogger("dltrain"), "propagate", True)
    with caplog.at_level(logging.DEBUG, "dltrain"):
        found = what_if(model, dataset.take(parts["validation"]), "validation")
    assert found == {"left_out": "A page cannot compute this model, since its numbers take more than 0.0001 MB."}
    assert "has no panel 'What if': a page cannot compute this model, since its numbers take" in caplog.text
    shutil.copytree(model.record.path, tmp_path / "run")
    (tmp_path / "run" / "what_if.json").write_text(json.dumps(found))
    page = write_report(tmp_path / "run").read_text()
    assert found["left_out"] in page
    assert "<script" not in page
    column = dataclasses.replace(model.signature.columns[0], kind="text")
    model.signature = dataclasses.replace(model.signature, columns=(column,))
    assert what_if(model, dataset, "validation") is None


def test_importance_finds_the_column_that_decides(run_in: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(300, 3)), columns=["noise", "decides", "idle"])
    table["target"] = np.where(table["decides"] > 0, "yes", "no")
    table.to_csv(tmp_path / "table.csv", index=False)
    run = run_in(
        tmp_path / "run",
        "dataset=csv",
        f"dataset.path={tmp_path / 'table.csv'}",
        "dataset.target=target",
        *("report=true", "model=linear", "optimizer.learning_rate=0.1", "trainer.epochs=15"),
    )
    first, *others = run.json("insights.json")["importance"]["columns"]
    assert first["column"] == "decides"
    assert first["mean"] > 10 * max(abs(each["mean"]) for each in others)


def test_what_comes_from_the_data_is_escaped(run_in: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    table = pd.DataFrame({f"{EVIL} $x$": random.normal(size=60), "a&b": random.choice([EVIL, "b"], 60)})
    table["target"] = random.choice([EVIL, "=cmd", "$m_1$"], 60)
    table.to_csv(tmp_path / "table.csv", index=False)
    data = ("dataset=csv", f"dataset.path={tmp_path / 'table.csv'}", "dataset.target=target")
    run = run_in(tmp_path / "run", *data, "report=true", "model.units=[2]", "score_test=always")
    assert not [each for each in run.json("run.json")["warnings"] if "report" in each]
    page = page_of(run)
    assert "<script>alert" not in page
    assert html.escape(EVIL) in page
    assert Outline(page).tags.count("script") == 2  # the content of the panel and its script
    for file in (run.path / "plots").glob("*.svg"):
        assert "<script" not in file.read_text()


def test_what_the_files_of_a_run_say_is_escaped(reported: Any, tmp_path: Path) -> None:
    shutil.copytree(reported("binary").path, tmp_path / "run")
    for name, said in {
        "run.json": {
            "warnings": [EVIL],
            "notes": [EVIL],
            "checks": [{EVIL: EVIL}],
            "versions": {EVIL: EVIL},
            "device": EVIL,
            "overrides": [f"model={EVIL}"],
            "command": [f"--config-dir={EVIL}"],
        },
        "insights.json": {
            "importance": {"rows": 9, "repeats": 1, "columns": [{"column": EVIL, "mean": 0.1, "sd": 0.1}]},
            "mistakes": [
                {"row_id": EVIL, "target": "", "prediction": EVIL, "probability": None, "loss": 1.0}
                | {"columns": {EVIL: EVIL}, "images": {f'" onerror="{EVIL}': f'" onerror="{EVIL}'}}
            ],
        },
    }.items():
        file = tmp_path / "run" / name
        file.write_text(json.dumps(json.loads(file.read_text()) | said))
    file = tmp_path / "run" / "what_if.json"
    panel = json.loads(file.read_text())
    panel["columns"] = [{**column, "title": EVIL, "words": [EVIL]} for column in panel["columns"]]
    panel |= {"part": EVIL, "answer": {**panel["answer"], "target": EVIL, "names": [EVIL, EVIL]}}
    file.write_text(json.dumps(panel))
    page = write_report(tmp_path / "run").read_text()
    assert Outline(page).tags.count("script") == 2  # the content of the panel and its script
    assert page.count("<script>") == 1
    assert '"<' not in page
    assert " onerror=&#34;" in page
    assert page.count(html.escape(EVIL)) >= 20


def test_is_made_only_where_it_is_wanted(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path, "model=linear", "report=false")
    assert not (run.path / "report.html").exists()
    assert not (run.path / "insights.json").exists()


def test_a_report_that_fails_does_not_fail_the_run(
    run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no ink")

    monkeypatch.setattr("dltrain.report.report.write_report", fail)
    run = run_in(tmp_path, "model=linear", "report=true")
    facts = run.json("run.json")
    assert facts["status"] == "completed"
    assert "no ink" in facts["warnings"][-1]


def test_checks_of_the_data_are_shown(reported: Any, tmp_path: Path) -> None:
    shutil.copytree(reported("binary").path, tmp_path / "run")
    file = tmp_path / "run" / "run.json"
    facts = json.loads(file.read_text())
    facts["checks"] = [{"check": "leak", "severity": "warning", "columns": ["a", "b"], "sentence": "a gives it away"}]
    file.write_text(json.dumps(facts))
    page = write_report(tmp_path / "run").read_text()
    assert "a gives it away" in page
    assert "<td>a, b</td>" in page


class TestVerb:
    def test_makes_the_same_report_from_the_files(self, reported: Any, capsys: pytest.CaptureFixture[str]) -> None:
        run = reported("binary")
        before = page_of(run)
        (run.path / "report.html").unlink()
        shutil.rmtree(run.path / "plots")
        assert main(["report", str(run.path)]) == 0
        assert capsys.readouterr().out.strip() == str(run.path / "report.html")
        assert page_of(run) == before
        assert (run.path / "plots" / "roc.svg").exists()

    @pytest.mark.parametrize("problem", ["binary", "regression"])
    def test_finds_what_needs_the_model_anew(self, reported: Any, tmp_path: Path, problem: str) -> None:
        run = reported(problem)
        shutil.copytree(run.path, tmp_path / "run")
        before = json.loads((tmp_path / "run" / "insights.json").read_text())
        (tmp_path / "run" / "insights.json").unlink()
        (tmp_path / "run" / "what_if.json").unlink()
        assert main(["report", str(tmp_path / "run")]) == 0
        after = json.loads((tmp_path / "run" / "insights.json").read_text())
        assert [each["row_id"] for each in after["mistakes"]] == [each["row_id"] for each in before["mistakes"]]
        found, expected = (each["importance"]["columns"] for each in (after, before))
        assert [each["mean"] for each in found] == pytest.approx([each["mean"] for each in expected], rel=1e-3)
        assert json.loads((tmp_path / "run" / "what_if.json").read_text()) == run.json("what_if.json")

    def test_refuses_what_is_no_completed_run(
        self, reported: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["report", str(tmp_path)]) == 2
        assert "holds no run" in capsys.readouterr().err
        shutil.copytree(reported("binary").path, tmp_path / "run")
        (tmp_path / "run" / "metrics.json").unlink()
        assert main(["report", str(tmp_path / "run")]) == 2
        assert "Expected a completed run" in capsys.readouterr().err


def test_a_report_from_files_needs_no_tensorflow(reported: Any) -> None:
    code = (
        "import sys; from pathlib import Path; from dltrain.report.report import write_report; "
        f"write_report(Path({str(reported('binary').path)!r})); sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_cross_validated_run_is_reported_by_its_folds(tmp_path: Path, run_in: Any) -> None:
    few = [word for word in SMALL if not word.startswith("model")]
    run = run_in(tmp_path, *few, "model=linear", "cv=kfold", "cv.folds=2", "dataset.problem=binary")
    page = page_of(run)
    fold = run.json("cv/summary.json")["folds"][1]
    assert "Every fold" in page
    assert f"{fold['accuracy']:.4f}" in page
    metrics = run.json("metrics.json")
    mean, deviation = (metrics["cross_validation"][name]["accuracy"] for name in ("mean", "sd"))
    assert (metrics["difference"]["part"], metrics["difference"]["repeats"]) == ("folds", 2)
    assert f"<b>{mean:.4f} ± {deviation:.4f}</b><span>accuracy, the folds, mean and sd of 2 folds</span>" in page
    assert "Over 2 folds, each scored on rows that no training of a fold had seen, it reaches accuracy" in page
    assert "over 2 folds" in page
    assert not (run.path / "insights.json").exists()
    assert "Worst mistakes" not in page
    assert main(["report", str(run.path)]) == 0
    assert page_of(run) == page


def test_curve_of_an_area_says_that_it_is_not_exact() -> None:
    history = [{"loss": 0.5, "val_loss": 0.6, "auc": 0.7, "val_auc": 0.6}]
    loss, area = learning_curves(history, 1, counted=["auc"])
    assert "counted over thresholds" in area.message
    assert "counted" not in loss.message


@pytest.mark.parametrize(
    "problem", ["binary", *(pytest.param(p, marks=pytest.mark.slow) for p in ("multiclass", "multilabel"))]
)
def test_repeated_folds_are_reported_by_their_answers(tmp_path: Path, run_in: Any, problem: str) -> None:
    few = [word for word in SMALL if not word.startswith("model")]
    folds = ["cv=repeated_kfold", "cv.folds=2", "cv.repeats=2"]
    run = run_in(tmp_path, *few, "model=linear", *folds, f"dataset.problem={problem}")
    assert "Every fold" in page_of(run)
    table = pd.read_csv(run.path / "cv" / "predictions.csv")
    answers = read_answers(run.path / "cv" / "predictions.csv", TASKS[problem], run.json("signature.json")["classes"])[
        "validation"
    ]
    assert len(answers.truth) == len(table) == 2 * table["row_id"].nunique()
    probabilities = [name for name in table if "probability" in name]
    np.testing.assert_allclose(answers.given, table[probabilities].to_numpy()[:, -answers.given.shape[1] :])
