from __future__ import annotations

from typing import Any

from dltrain.report.figures import gradients, importance, learning_curves


def history(**columns: list[float]) -> list[dict[str, float]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_a_curve_for_the_loss_and_each_metric_and_a_rate_that_changed() -> None:
    course: dict[str, Any] = {
        "epoch": [1, 2],
        "loss": [2, 1],
        "val_loss": [3, 2.5],
        "auc": [0.5, 0.6],
        "spread": [1, 1],
    }
    one_rate = history(**course, learning_rate=[0.1, 0.1])
    names = [each.name for each in learning_curves(one_rate, 2, ["spread"], kept={"loss": 0.75})]
    assert names == ["curve_loss", "curve_auc"]
    pictures = learning_curves(history(**course, learning_rate=[0.1, 0.01]), 2, ["spread"], ["auc"], {"loss": 0.75})
    assert [each.name for each in pictures] == [*names, "learning_rate"]
    assert "from 3 to 2.5 over 2 epochs." in pictures[0].message
    kept = "With the weights of epoch 2, which are kept, validation is 2.5 and train 0.75 in inference."
    assert kept in pictures[0].message
    assert "With the weights" not in pictures[1].message
    for label in ("train, during each epoch", "validation, after it", "train, kept weights"):
        assert f">{label}</text>" in pictures[0].template
    assert "the final one is exact" in pictures[1].message
    assert "from 0.1 to 0.01 over 2 epochs" in pictures[2].message


def test_the_best_epoch_of_folds_may_lie_beyond_their_mean_curve() -> None:
    (picture,) = learning_curves(history(loss=[2, 1], val_loss=[3, 2]), 5)
    assert "With the weights" not in picture.message
    assert learning_curves([], 1) == []


def test_importance_and_gradients_name_the_first_column_and_the_range() -> None:
    columns = [{"column": "age", "mean": 0.25, "sd": 0.1}, {"column": "x" * 40, "mean": -0.01, "sd": 0.02}]
    assert importance(columns).message.startswith("age matters most")
    layers = [
        {"name": "a", "gradient_rms": 0.5},
        {"name": "flat", "gradient_rms": None},
        {"name": "b", "gradient_rms": 1e-3},
    ]
    assert gradients(layers).message == "Between 0.001 and 0.5 over 2 layers, from the input downwards."
