from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.models.network import build_metrics
from dltrain.scoring import baseline_scores as module
from dltrain.scoring.baseline_scores import score_baselines
from dltrain.scoring.baselines import baselines


def test_every_part_is_scored_and_the_last_ones_answers_are_kept(stage_of: Any) -> None:
    stage = stage_of("model=linear", "dataset.problem=regression", "seed=11")
    scores, answers = score_baselines(
        stage.data, ["train", "validation"], build_metrics(stage.task, stage.data.target), 0
    )
    assert "mean" in scores
    for name, by_part in scores.items():
        assert list(by_part) == ["train", "validation"]
        assert answers[name].shape == (12, 1)
        truth = stage.data.truth("validation").column
        assert by_part["validation"]["rmse"] == pytest.approx(np.sqrt(np.mean((answers[name] - truth) ** 2)), rel=1e-4)


def test_same_rows_are_fitted_once_and_nobody_changes_what_is_kept(
    stage_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[int] = []

    def counted(*arguments: Any) -> Any:
        fits.append(1)
        return baselines(*arguments)

    monkeypatch.setattr(module, "baselines", counted)
    stage = stage_of("model=linear", "dataset.problem=regression", "seed=12")
    metrics = build_metrics(stage.task, stage.data.target)
    first, _ = score_baselines(stage.data, ["train", "validation"], metrics, 0)
    first["mean"]["train"]["rmse"] = -1.0
    again, _ = score_baselines(stage.data, ["train", "validation"], metrics, 0)
    assert len(fits) == 1
    assert again["mean"]["train"]["rmse"] > 0
    score_baselines(stage.data, ["train"], metrics, 0)
    assert len(fits) == 2


def test_of_many_rows_some_are_drawn_by_the_seed(stage_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 10)
    seen: list[list[float]] = []

    def noted(raw: Any, features: Any, target: Any, parts: Any) -> Any:
        seen.append(target.values.tolist())
        assert len(raw) == len(target.values) == 10
        return baselines(raw, features, target, parts)

    monkeypatch.setattr(module, "baselines", noted)
    stage = stage_of("model=linear", "dataset.problem=regression", "seed=13")
    for seed in (0, 1, 0):
        score_baselines(stage.data, ["train", "validation"], build_metrics(stage.task, stage.data.target), seed)
    assert len(seen) == 2
    assert seen[0] != seen[1]
