from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import mean_absolute_error, roc_auc_score, root_mean_squared_error

from dltrain.data.targets import Target
from dltrain.models.losses import SideAccuracy
from dltrain.scoring.comparison import Difference
from dltrain.scoring.evaluation import Results, intervals, score, without_interval

GENERATOR = np.random.default_rng(0)
LOSS = keras.losses.BinaryCrossentropy()


def binary(rows: int, noise: float = 1.0) -> tuple[Target, np.ndarray]:
    truth = GENERATOR.integers(0, 2, rows).astype(np.float32)
    scores = truth - 0.5 + noise * GENERATOR.standard_normal(rows)
    return Target("binary", truth, ("no", "yes")), (1 / (1 + np.exp(-scores))).astype(np.float32)[:, None]


def regression(rows: int) -> tuple[Target, np.ndarray]:
    truth = GENERATOR.standard_normal(rows).astype(np.float32)
    return Target("regression", truth), (truth + GENERATOR.standard_normal(rows).astype(np.float32))[:, None]


def bootstrap(metric: Any, truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(1)
    draws = generator.integers(0, len(truth), (1_000, len(truth)))
    return np.percentile([metric(truth[rows], answers[rows, 0]) for rows in draws], [2.5, 97.5])


class TestScore:
    def test_equals_scikit_learn(self) -> None:
        target, answers = regression(40)
        metrics = [keras.metrics.RootMeanSquaredError(name="rmse"), keras.metrics.MeanAbsoluteError(name="mae")]
        expected = {
            "rmse": root_mean_squared_error(target.values, answers[:, 0]),
            "mae": mean_absolute_error(target.values, answers[:, 0]),
        }
        assert score(metrics, target, answers) == pytest.approx(expected, rel=1e-5)
        assert score(metrics, target, answers) == pytest.approx(expected, rel=1e-5)

    def test_area_equals_scikit_learn_where_predictions_are_close_and_equal(self) -> None:
        target, answers = binary(300)
        answers = np.round(answers, 2) / 1e4  # all below the second of 2,000 thresholds
        found = score([keras.metrics.AUC(name="auc", num_thresholds=2_000)], target, answers)["auc"]
        assert found == pytest.approx(roc_auc_score(target.values, answers[:, 0]), abs=1e-12)

    @pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
    def test_areas_of_labels_are_averaged_as_the_metric_says(self, average: str) -> None:
        truth = GENERATOR.integers(0, 2, (200, 3)).astype(np.float32)
        answers = (truth + 2 * GENERATOR.standard_normal((200, 3))).astype(np.float32)
        target = Target("multilabel", truth, ("a", "b", "c"))
        weights = list(map(float, truth.sum(axis=0))) if average == "weighted" else None
        metric = (
            keras.metrics.AUC(name="auc", multi_label=average != "micro", num_labels=3, label_weights=weights)
            if average != "micro"
            else keras.metrics.AUC(name="auc")
        )
        expected = roc_auc_score(truth, answers, average=average)
        assert score([metric], target, answers)["auc"] == pytest.approx(expected, abs=1e-7)

    def test_area_of_labels_leaves_out_a_label_of_one_class(self) -> None:
        truth = np.array([[0, 0], [1, 0], [0, 0], [1, 0]], np.float32)
        answers = np.array([[0.1, 0.3], [0.4, 0.1], [0.5, 0.2], [0.6, 0.9]], np.float32)
        metric = keras.metrics.AUC(name="auc", multi_label=True, num_labels=2)
        assert score([metric], Target("multilabel", truth, ("a", "b")), answers)["auc"] == 0.75

    def test_area_by_thresholds_of_a_user_and_of_precision_stays_that_of_keras(self) -> None:
        target, answers = binary(300)
        for metric in (keras.metrics.AUC(name="own", thresholds=[0.5]), keras.metrics.AUC(name="own", curve="PR")):
            metric.update_state(target.column, answers)
            assert score([metric], target, answers) == {"own": float(metric.result())}

    @pytest.mark.parametrize("rows", [1, 7, 40])
    def test_does_not_broadcast_targets_and_answers(self, rows: int) -> None:
        target = Target("multiclass", np.arange(rows, dtype=np.int32) % 3, ("a", "b", "c"))
        answers = np.eye(3, dtype=np.float32)[(np.arange(rows) + (np.arange(rows) % 4 == 1)) % 3]
        found = score([keras.metrics.SparseCategoricalAccuracy(name="accuracy")], target, answers)
        assert found["accuracy"] == pytest.approx(np.mean(np.arange(rows) % 4 != 1))


class TestIntervals:
    @pytest.mark.parametrize("rows", [12, 200])
    def test_of_an_accuracy_is_wilsons(self, rows: int) -> None:
        target, answers = binary(rows)
        right = int(((answers[:, 0] > 0.5) == target.values).sum())
        found = intervals([keras.metrics.BinaryAccuracy(name="accuracy")], LOSS, target, answers, 0)["accuracy"]
        z, share = 1.959963984540054, right / rows
        middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
        half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
        assert found == pytest.approx((middle - half, middle + half))
        scipy = binomtest(right, rows).proportion_ci(0.95, method="wilson")
        assert found == pytest.approx((scipy.low, scipy.high))

    def test_of_an_area_is_the_bootstraps(self) -> None:
        target, answers = binary(150)
        metric = keras.metrics.AUC(name="auc")
        low, high = intervals([metric], LOSS, target, answers, 0)["auc"]
        assert low < score([metric], target, answers)["auc"] < high
        np.testing.assert_allclose([low, high], bootstrap(roc_auc_score, target.values, answers), atol=0.02)

    def test_of_an_error_is_the_bootstraps(self) -> None:
        target, answers = regression(150)
        metric = keras.metrics.RootMeanSquaredError(name="rmse")
        found = intervals([metric], keras.losses.MeanSquaredError(), target, answers, 0)
        low, high = found["rmse"]
        assert low < score([metric], target, answers)["rmse"] < high
        np.testing.assert_allclose([low, high], bootstrap(root_mean_squared_error, target.values, answers), atol=0.04)
        # The loss is the squared error here, so that its interval is that of the root, squared.
        np.testing.assert_allclose(np.sqrt(found["loss"]), [low, high], rtol=0.01)

    def test_of_several_labels_resamples_rows(self) -> None:
        truth = np.repeat(GENERATOR.integers(0, 2, (60, 1)), 4, axis=1).astype(np.float32)
        answers = np.where(np.arange(60)[:, None] % 3 == 0, 1 - truth, truth) * 0.8 + 0.1
        target = Target("multilabel", truth, tuple("abcd"))
        metric = keras.metrics.BinaryAccuracy(name="accuracy")
        low, high = intervals([metric], LOSS, target, answers.astype(np.float32), 0)["accuracy"]
        # The labels of a row are right or wrong together: 60 trials and not 240.
        assert low < 40 / 60 < high
        assert high - low > 0.2

    def test_same_seed_same_interval(self) -> None:
        target, answers = regression(30)
        found = [
            intervals(
                [keras.metrics.MeanAbsoluteError(name="mae")], keras.losses.MeanSquaredError(), target, answers, s
            )
            for s in (1, 1, 2)
        ]
        assert found[0] == found[1] != found[2]

    def test_in_portions_are_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        target, answers = binary(30)
        metrics = [keras.metrics.AUC(name="auc")]
        whole = intervals(metrics, LOSS, target, answers, seed=1)
        monkeypatch.setattr("dltrain.scoring.evaluation.RESAMPLED_AT_ONCE", 30 * 7)
        assert intervals(metrics, LOSS, target, answers, seed=1) == whole

    @pytest.mark.parametrize(("rarer", "told"), [(3, False), (9, False), (10, True)])
    def test_of_an_area_needs_ten_rows_of_each_class(self, rarer: int, told: bool) -> None:
        truth = (np.arange(300) < rarer).astype(np.float32)
        target = Target("binary", truth, ("no", "yes"))
        answers = (truth * 0.5 + 0.5 * GENERATOR.random(300)).astype(np.float32)[:, None]
        answers[20] = 0.9
        metrics = [keras.metrics.AUC(name="auc"), keras.metrics.Recall(name="recall", thresholds=0.6)]
        assert {"auc", "recall"} & set(intervals(metrics, LOSS, target, answers, 0)) == (
            {"auc", "recall"} if told else set()
        )
        reasons = without_interval(metrics, target)
        assert reasons == (
            {}
            if told
            else dict.fromkeys(("auc", "recall"), f"the rarer class has {rarer} of the 10 rows that one needs")
        )

    def test_of_an_exact_area_covers_the_true_area(self) -> None:
        # Of two normal distributions one deviation apart the area is Phi(1 / sqrt 2).
        covered = 0
        for seed in range(100):
            generator = np.random.default_rng(seed)
            truth = (np.arange(200) < 40).astype(np.float32)
            answers = (truth + generator.standard_normal(200)).astype(np.float32)[:, None]
            target = Target("binary", truth, ("no", "yes"))
            low, high = intervals([keras.metrics.AUC(name="auc")], LOSS, target, answers, seed)["auc"]
            covered += low < norm.cdf(1 / np.sqrt(2)) < high
        assert 88 <= covered <= 99

    def test_of_an_area_of_one_class_is_none(self) -> None:
        target = Target("binary", np.ones(9, np.float32), ("no", "yes"))
        answers = np.linspace(0.6, 0.9, 9, dtype=np.float32)[:, None]
        metrics = [keras.metrics.AUC(name="auc"), keras.metrics.BinaryAccuracy(name="accuracy")]
        assert set(intervals(metrics, LOSS, target, answers, 0)) == {"loss", "accuracy"}
        found = score(metrics, target, answers)
        assert np.isnan(found["auc"])
        assert found["accuracy"] == 1

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_of_an_area_at_its_bound_is_none(self, value: float) -> None:
        target = Target("binary", np.array([0, 0, 1, 1], np.float32), ("no", "yes"))
        answers = np.abs(1 - value - target.values * 0.8 - 0.1)[:, None].astype(np.float32)
        metric = keras.metrics.AUC(name="auc")
        assert score([metric], target, answers)["auc"] == value
        assert "auc" not in intervals([metric], LOSS, target, answers, 0)

    def test_of_one_row_are_wilsons_alone(self) -> None:
        target = Target("binary", np.ones(1, np.float32), ("no", "yes"))
        metrics = [keras.metrics.BinaryAccuracy(name="accuracy"), keras.metrics.MeanAbsoluteError(name="mae")]
        found = intervals(metrics, LOSS, target, np.full((1, 1), 0.7, np.float32), 0)
        assert set(found) == {"accuracy"}
        assert found["accuracy"] == pytest.approx((0.2065, 1), abs=1e-3)

    def test_of_the_loss_holds_the_penalty(self) -> None:
        target, answers = regression(20)
        loss = keras.losses.MeanSquaredError()
        plain, with_penalty = (intervals([], loss, target, answers, 0, penalty) for penalty in (0.0, 5.0))
        assert np.subtract(with_penalty["loss"], plain["loss"]) == pytest.approx([5, 5])

    @pytest.mark.parametrize("task", ["binary", "regression", "multilabel"])
    def test_of_few_rows_hold_no_nan(self, task: str) -> None:
        truth = np.array([0.0, 1.0, 1.0], np.float32)
        target = Target(task, truth[:, None] if task == "multilabel" else truth, () if task == "regression" else ("a",))
        metrics = [keras.metrics.AUC(name="auc"), keras.metrics.MeanAbsoluteError(name="mae"), SideAccuracy()]
        found = intervals(metrics, LOSS, target, np.array([[0.4], [0.3], [0.6]], np.float32), 0)
        assert set(found) == {"mae", "accuracy", "loss"} | ({"auc"} if task == "regression" else set())
        for low, high in found.values():
            assert np.isfinite([low, high]).all()
            assert low <= high


def test_results_become_the_content_of_metrics_json() -> None:
    parts = {"train": {"loss": 1.0}, "validation": {"loss": 2.0}}
    difference = Difference("validation", "rmse", "mean", 0.5, (0.1, 0.9))
    results = Results(
        parts, {}, {"mean": parts}, difference, ["a note"], best_epoch=3, epochs=5, best_value=2.0, monitor="val_loss"
    )
    assert json.loads(json.dumps(results.as_json())) == {
        **parts,
        "intervals": {},
        "baselines": {"mean": parts},
        "difference": {
            "part": "validation",
            "metric": "rmse",
            "baseline": "mean",
            "value": 0.5,
            "interval": [0.1, 0.9],
            "repeats": 0,
            "area": None,
        },
        "notes": ["a note"],
        "best_epoch": 3,
        "epochs": 5,
        "best_value": 2.0,
        "monitor": "val_loss",
    }
