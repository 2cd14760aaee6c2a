from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss, roc_auc_score

from dltrain.data.targets import Target
from dltrain.scoring.comparison import Difference, compare, compare_repetitions

GENERATOR = np.random.default_rng(0)


def binary(right: list[bool]) -> tuple[Target, np.ndarray]:
    truth = np.arange(len(right)) % 2
    return Target("binary", truth.astype(np.float32), ("no", "yes")), np.where(right, truth, 1 - truth)[:, None] * 0.8


def test_quantiles_are_compared_by_their_pinball_loss() -> None:
    truth = GENERATOR.normal(size=200).astype(np.float32)
    target = Target("quantile_regression", truth, quantiles=(0.5, 0.1, 0.9))
    good, bad = np.tile([0.0, -1.28, 1.28], (200, 1)), np.tile([0.0, 3.0, -3.0], (200, 1))  # of one median
    found = compare("test", target, good, {"quantiles of train": bad}, 0)
    by_hand = [
        np.mean([mean_pinball_loss(truth, given[:, unit], alpha=share) for unit, share in enumerate(target.quantiles)])
        for given in (good, bad)
    ]
    assert found.value == pytest.approx(by_hand[1] - by_hand[0])
    assert found.interval is not None
    assert found.interval[0] < found.value < found.interval[1]
    assert found.sentence().startswith("beats quantiles of train by ")
    assert " pinball (" in found.sentence()
    scores, others = [{"pinball": 1.0}, {"pinball": 1.5}], [{"a": {"pinball": 2.0}}, {"a": {"pinball": 3.0}}]
    assert compare_repetitions("folds", target, scores, others, ratio=0.25).value == 1.25


class TestClasses:
    def test_value_is_the_difference_of_the_accuracies(self) -> None:
        target, mine = binary([True] * 90 + [False] * 10)
        _, other = binary([True] * 70 + [False] * 30)
        found = compare("test", target, mine, {"majority": other * 0, "logistic regression": other}, 0)
        assert (found.part, found.metric, found.baseline) == ("test", "accuracy", "logistic regression")
        assert found.value == pytest.approx(0.2)
        # Agresti & Min 2005: twenty won, none lost, a half and a half added.
        middle = 20 / 102
        half = 1.959963985 * math.sqrt(21 - 102 * middle**2) / 102
        assert found.interval == pytest.approx((middle - half, middle + half))
        assert found.beats
        assert found.sentence() == "beats logistic regression by 0.2 accuracy (0.117 to 0.275) on test"

    @pytest.mark.parametrize("won", [0, 1, 3, 4])
    def test_few_won_rows_are_no_evidence(self, won: int) -> None:
        # McNemar's exact test of 4 against 0 gives p = 0.125.
        target, mine = binary([True] * 80)
        _, other = binary([row >= won for row in range(80)])
        found = compare("test", target, mine, {"majority": other}, 0)
        assert not found.beats
        assert found.sentence().startswith("is within noise of majority on test: ")

    def test_worse_network_falls_behind(self) -> None:
        target, other = binary([True] * 100)
        _, mine = binary([row % 2 == 0 for row in range(100)])
        found = compare("validation", target, mine, {"majority": other}, 0)
        assert found.value == -0.5
        assert not found.beats
        assert found.interval is not None
        assert found.interval[1] < 0
        assert found.sentence().startswith("falls behind majority by 0.5 accuracy (0.3")

    def test_few_rows_have_no_interval(self) -> None:
        target, mine = binary([True] * 9)
        found = compare("test", target, mine, {"majority": 1 - mine}, 0)
        assert found.interval is None
        assert not found.beats
        assert "too few rows" in found.sentence()

    def test_several_classes_go_by_the_greatest_probability(self) -> None:
        target = Target("multiclass", np.arange(30, dtype=np.int32) % 3, ("a", "b", "c"))
        right = np.eye(3)[target.values]
        found = compare("test", target, right, {"majority": np.tile([1.0, 0, 0], (30, 1))}, 0)
        assert found.value == pytest.approx(2 / 3)
        assert found.beats

    def test_labels_of_a_row_count_together(self) -> None:
        truth = GENERATOR.integers(0, 2, (60, 4)).astype(np.float32)
        target = Target("multilabel", truth, tuple("abcd"))
        wrong = np.where(np.arange(60)[:, None] % 4 == 0, 1 - truth, truth)
        found = compare("test", target, truth, {"majority": wrong}, 0)
        assert found.value == pytest.approx(0.25)
        assert found.interval is not None
        assert found.interval == pytest.approx((0.15, 0.36), abs=0.03)  # 60 rows, not 240


class TestAreas:
    TRUTH = np.arange(400) % 2

    def compared(self, mine: np.ndarray, other: np.ndarray) -> Difference:
        target = Target("binary", self.TRUTH.astype(np.float32), ("no", "yes"))
        return compare("test", target, mine[:, None], {"logistic regression": other[:, None]}, 0, area="auc")

    def test_value_is_the_difference_of_the_areas(self) -> None:
        mine, other = GENERATOR.standard_normal((2, 400)).round(1) + self.TRUTH * [[1.0], [0.5]]  # with ties
        area = self.compared(mine, other).area
        assert area is not None
        assert area.value == pytest.approx(roc_auc_score(self.TRUTH, mine) - roc_auc_score(self.TRUTH, other))
        assert area.interval is not None
        # A bootstrap within the classes gives about the same interval.
        drawn = [
            np.r_[
                GENERATOR.choice(np.flatnonzero(self.TRUTH), 200), GENERATOR.choice(np.flatnonzero(1 - self.TRUTH), 200)
            ]
            for _ in range(400)
        ]
        areas = [[roc_auc_score(self.TRUTH[rows], each[rows]) for each in (mine, other)] for rows in drawn]
        bounds = np.percentile(-np.diff(areas, axis=1), [2.5, 97.5])
        assert area.interval == pytest.approx(bounds, abs=0.02)

    def test_area_is_told_where_it_says_something_else(self) -> None:
        # Both are right on the same rows; but the network's sure answers are the wrong ones.
        right = GENERATOR.random(400) < 0.9
        side = np.where(right, self.TRUTH, 1 - self.TRUTH) - 0.5
        mine, other = 0.5 + side * np.where(right, 0.2, 0.9), 0.5 + side * np.where(right, 0.9, 0.2)
        found = self.compared(mine, other)
        assert found.standing == "noise"
        assert not found.beats
        assert found.sentence().startswith("is within noise of logistic regression on test: +0 accuracy (")
        assert ", but falls behind logistic regression by 0." in found.sentence()
        assert self.compared(other, mine).beats
        assert Difference.of(json.loads(json.dumps(asdict(found)))).sentence() == found.sentence()

    def test_area_that_says_the_same_is_not_told(self) -> None:
        mine = self.TRUTH * 0.5 + GENERATOR.random(400) * 0.6
        found = self.compared(mine, GENERATOR.random(400))
        assert found.standings == {"ahead"}
        assert "auc" not in found.sentence()

    def test_few_rows_of_a_class_have_no_interval(self) -> None:
        truth = (np.arange(100) < 9).astype(np.float32)
        answers = GENERATOR.random((2, 100, 1))
        target = Target("binary", truth, ("no", "yes"))
        area = compare("test", target, answers[0], {"majority": answers[1]}, 0, area="auc").area
        assert area is not None
        assert area.interval is None


class TestRepetitions:
    TARGET = Target("binary", np.zeros(4, np.float32), ("no", "yes"))

    @staticmethod
    def scored(*pairs: tuple[float, float]) -> list[dict[str, float]]:
        return [{"accuracy": accuracy, "auc": area} for accuracy, area in pairs]

    def test_the_baseline_that_is_best_on_the_whole_is_compared(self) -> None:
        mine = self.scored((0.9, 0.8), (0.8, 0.8), (0.85, 0.81))
        constant, linear = self.scored(*[(0.5, 0.5)] * 3), self.scored((0.7, 0.9), (0.6, 0.91), (0.66, 0.9))
        simple = [{"majority": one, "logistic regression": two} for one, two in zip(constant, linear, strict=True)]
        found = compare_repetitions("seeds", self.TARGET, mine, simple, ratio=0.25, area="auc")
        assert found is not None
        assert found.sentence().startswith("beats logistic regression by 0.197 accuracy (")
        assert " over 3 seeds, but falls behind logistic regression by 0.1 auc (" in found.sentence()
        assert not found.beats

    def test_equal_gains_have_no_interval(self) -> None:
        mine, simple = self.scored((0.5, 0.5), (0.5, 0.5)), [{"majority": {"accuracy": 0.25}}] * 2
        found = compare_repetitions("folds", self.TARGET, mine, simple, ratio=1.0)
        assert found is not None
        assert found.sentence() == (
            "has +0.25 accuracy against majority over 2 folds: no interval can be told from these"
        )
        assert not found.beats

    def test_undefined_measure_compares_nothing(self) -> None:
        simple = [{"majority": {"accuracy": math.nan}}]
        assert compare_repetitions("folds", self.TARGET, self.scored((0.5, 0.5)), simple, ratio=1.0) is None


class TestQuantities:
    def test_value_is_the_difference_of_the_errors(self) -> None:
        truth = GENERATOR.standard_normal(200).astype(np.float32)
        target = Target("regression", truth)
        mine = truth[:, None] + 0.5 * GENERATOR.standard_normal((200, 1))
        found = compare("test", target, mine, {"mean": np.zeros((200, 1)), "ridge regression": mine + 0.3}, 0)
        gain = np.sqrt(np.mean((mine[:, 0] + 0.3 - truth) ** 2)) - np.sqrt(np.mean((mine[:, 0] - truth) ** 2))
        assert (found.metric, found.baseline) == ("rmse", "ridge regression")
        assert found.value == pytest.approx(gain)
        assert found.interval is not None
        low, high = found.interval
        assert low < gain < high

    def test_pairs_are_kept_together(self) -> None:
        # The errors of both vary by a factor of ten, and the network's is always a little smaller.
        truth = np.zeros(100, np.float32)
        other = (10.0 ** GENERATOR.uniform(-1, 1, 100))[:, None]
        found = compare("test", Target("regression", truth), other * 0.95, {"mean": other}, 0)
        assert found.beats
        assert found.interval is not None
        assert found.interval[1] - found.interval[0] < found.value

    def test_same_answers_are_equal(self) -> None:
        truth = np.arange(20, dtype=np.float32)
        found = compare("test", Target("regression", truth), truth[:, None] + 1, {"mean": truth[:, None] + 1}, 0)
        assert found.value == 0
        assert not found.beats
        assert found.sentence() == "is within noise of mean on test: +0 rmse (0 to 0)"

    def test_same_seed_same_interval(self) -> None:
        truth = GENERATOR.standard_normal(50).astype(np.float32)
        answers = GENERATOR.standard_normal((2, 50, 1))
        found = [compare("test", Target("regression", truth), answers[0], {"mean": answers[1]}, s) for s in (1, 1, 2)]
        assert found[0] == found[1] != found[2]
