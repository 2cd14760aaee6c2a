"""The greedy choice of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from dltrain.sweeps.selection import ROUNDS, select

Answers = npt.NDArray[np.floating[Any]]
TRUTH = np.random.default_rng(0).normal(size=(200, 1))


def error(answers: Answers) -> float:
    return float(np.mean((answers - TRUTH) ** 2))


def mean(answers: Sequence[Answers]) -> Answers:
    return np.mean(np.stack(answers), axis=0)


def noisy(seed: int, *noises: float) -> list[Answers]:
    draws = np.random.default_rng(seed)
    return [TRUTH + draws.normal(scale=noise, size=TRUTH.shape) for noise in noises]


def joined(answers: Sequence[Answers], counts: dict[int, int]) -> Answers:
    return mean([answers[place] for place, count in counts.items() for _ in range(count)])


@pytest.mark.parametrize("seed", range(5))
def test_the_ensemble_is_never_worse_than_the_best_model_and_keeps_within_its_members(seed: int) -> None:
    answers = noisy(seed, 0.5, 0.6, 0.7, 0.9, 2.0)
    best = min(map(error, answers))
    before = np.inf
    for most in (1, 2, 3, 5):
        counts = select(answers, error, mean, most)
        assert len(counts) <= most
        assert sum(counts.values()) <= ROUNDS
        value = error(joined(answers, counts))
        assert value <= min(best, before) + 1e-12
        before = value
    assert value < 0.8 * best  # independent errors average out


def test_better_models_count_more_often() -> None:
    counts = select(noisy(1, 0.5, 1.5), error, mean, 2)
    assert counts[0] > counts.get(1, 0)


def test_a_model_without_a_value_is_no_member() -> None:
    good, bad = noisy(2, 0.5)[0], np.full_like(TRUTH, np.nan)
    assert select([bad, good], error, mean, 2) == {1: 1}


def test_equal_models_are_one() -> None:
    assert select([TRUTH + 1, TRUTH + 1], error, mean, 2) == {0: 1}
    (alone,) = noisy(3, 0.5)
    assert select([alone.astype(np.float32)], error, mean, 2) == {0: 1}
