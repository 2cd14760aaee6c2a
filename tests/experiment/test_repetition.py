from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

SMALL = ("model.units=[2]", "model.dropout=0.2", "trainer.epochs=2", "dataset.rows=40", "seed=7")


@pytest.fixture(scope="module")
def finished(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_in(tmp_path_factory.mktemp("seeds"), *SMALL, "seeds=3")


def test_each_seed_is_the_run_of_that_seed(finished: Any, run_in: Any, tmp_path: Path) -> None:
    alone = run_in(tmp_path, *SMALL[:-1], "seed=8")
    for name in ("history.csv", "predictions.csv", "splits.json"):
        assert (alone.path / name).read_text() == (finished.path / "seeds" / "seed_8" / name).read_text()
    metrics = finished.json("seeds/seed_8/metrics.json")
    assert metrics.pop("seed") == 8
    assert metrics == alone.json("metrics.json")


def test_files_of_the_run_are_those_of_the_first_seed(finished: Any) -> None:
    for name in ("history.csv", "predictions.csv", "splits.json", "model.keras"):
        assert (finished.path / name).read_bytes() == (finished.path / "seeds" / "seed_7" / name).read_bytes()
    metrics, first = finished.json("metrics.json"), finished.json("seeds/seed_7/metrics.json")
    assert metrics["test"] == first["test"]


def test_summary_over_seeds(finished: Any) -> None:
    summary = finished.json("metrics.json")["seeds"]
    assert [run["seed"] for run in summary["runs"]] == [7, 8, 9]
    for part in ("train", "validation", "test"):
        for name in ("loss", "accuracy", "auc"):
            values = [run[part][name] for run in summary["runs"]]
            assert summary[part]["mean"][name] == pytest.approx(np.mean(values))
            assert summary[part]["sd"][name] == pytest.approx(np.std(values, ddof=1))
            low, high = (
                stats.t.interval(0.95, 2, np.mean(values), stats.sem(values)) if np.std(values) else (values[0],) * 2
            )
            ends = [low, high] if name == "loss" else [max(low, 0.0), min(high, 1.0)]
            assert summary[part]["interval"][name] == pytest.approx(ends)
        for baseline, scores in summary["baselines"].items():
            seeds = [finished.json(f"seeds/seed_{seed}/metrics.json")["baselines"][baseline] for seed in (7, 8, 9)]
            assert scores[part]["mean"]["auc"] == pytest.approx(np.mean([each[part]["auc"] for each in seeds]))
    best = [finished.json(f"seeds/seed_{seed}/metrics.json")["best_value"] for seed in (7, 8, 9)]
    assert finished.results.best_value == pytest.approx(np.mean(best))


def test_verdict_is_over_the_seeds(finished: Any) -> None:
    metrics = finished.json("metrics.json")
    found, seeds = metrics["difference"], metrics["seeds"]
    assert (found["part"], found["repeats"]) == ("seeds", 3)
    theirs = seeds["baselines"][found["baseline"]]["test"]["mean"]["accuracy"]
    assert found["value"] == pytest.approx(seeds["test"]["mean"]["accuracy"] - theirs)


def test_report_tells_the_seeds_first(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path, *SMALL, "seeds=2", "report=true", "score_test=always")
    page, test = (run.path / "report.html").read_text(), run.json("metrics.json")["seeds"]["test"]
    both = f"{test['mean']['accuracy']:.4f} ± {test['sd']['accuracy']:.4f}"
    assert f"Over 2 seeds, each scored on test rows, it reaches accuracy {both}" in page
    assert f"<b>{both}</b><span>accuracy, test, mean and sd of 2 seeds</span>" in page
    assert "scored 1 more time" not in page
    assert "those of the first one, 7." in page


def test_each_seed_draws_a_split_and_scores_its_test_part(finished: Any) -> None:
    splits = [finished.json(f"seeds/seed_{seed}/splits.json")["test"] for seed in (7, 8, 9)]
    assert len({tuple(rows) for rows in splits}) == 3
    assert [scoring["rows"] for scoring in finished.json("run.json")["test_scorings"]] == [8, 8, 8]
    assert finished.json("run.json")["status"] == "completed"


def test_test_parts_stay_sealed_where_settings_are_compared(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path, *SMALL, "seeds=2", "score_test=never")
    assert run.json("run.json")["test_scorings"] == []
    assert set(run.json("metrics.json")["seeds"]) == {"runs", "baselines", "train", "validation"}
