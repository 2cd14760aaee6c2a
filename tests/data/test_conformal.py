from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dltrain.config.tasks import TASKS
from dltrain.data.conformal import Conformal, covered, fit, interval, members, rows_needed, size

REGRESSION, GAUSSIAN, QUANTILES, BINARY, MULTICLASS = (
    TASKS[name] for name in ("regression", "gaussian_regression", "quantile_regression", "binary", "multiclass")
)
SPREAD = np.array([[0.0, -1.0, 0.5]])  # of the quantiles, the median first
LEVELS = st.sampled_from([0.5, 0.8, 0.9, 0.95])


@given(level=LEVELS, more=st.integers(0, 30), seed=st.integers(0, 2**32 - 1))
def test_each_of_exchangeable_rows_is_covered_as_often_as_promised(level: float, more: int, seed: int) -> None:
    """Of n + 1 rows, each is left out once: that is every order in which exchangeable rows can come."""
    count = rows_needed(level) + more + 1
    random = np.random.default_rng(seed)
    for task, truth, answers in (
        (REGRESSION, random.normal(size=count), random.normal(size=(count, 1))),
        (GAUSSIAN, random.normal(size=count), np.abs(random.normal(size=(count, 2))) + 0.1),
        (QUANTILES, random.normal(size=count), random.normal(size=(count, 1)) + SPREAD),
        (MULTICLASS, random.integers(0, 3, count), random.dirichlet(np.ones(3), count)),
    ):
        inside = 0
        for row in range(count):
            others = np.delete(np.arange(count), row)
            found = fit(task, level, truth[others], answers[others])
            inside += int(covered(task, found, truth[[row]], answers[[row]])[0])
        least = math.ceil(round(count * level, 9))
        # Different scores are covered by no row more, but a set always holds its most probable class, and an interval
        # of quantiles its median.
        assert inside == least if task in (REGRESSION, GAUSSIAN) else inside >= least


@given(level=st.floats(0.01, 0.995))
def test_rows_needed_are_the_fewest_that_have_a_finite_quantile(level: float) -> None:
    level = round(level, 4)
    assume(level > 0)

    def rank(rows: int) -> int:
        return math.ceil(round((rows + 1) * level, 9))

    needed = rows_needed(level)
    assert rank(needed) <= needed
    assert needed == 0 or rank(needed - 1) > needed - 1


def test_intervals_are_as_wide_as_the_quantile_says() -> None:
    low, high = interval(REGRESSION, Conformal(0.9, 2.0, 9), np.array([[1.0], [5.0]]))
    assert (low.tolist(), high.tolist()) == ([-1.0, 3.0], [3.0, 7.0])
    low, high = interval(GAUSSIAN, Conformal(0.9, 2.0, 9), np.array([[1.0, 0.5], [5.0, 2.0]]))
    assert (low.tolist(), high.tolist()) == ([0.0, 1.0], [2.0, 9.0])
    assert size(GAUSSIAN, Conformal(0.9, 2.0, 9), np.array([[1.0, 0.5], [5.0, 2.0]])) == 5.0


@pytest.mark.parametrize(
    ("quantile", "expected"),
    [(0.05, [[True, False], [False, True]]), (0.75, [[True, True], [False, True]])],
)
def test_a_set_always_has_the_most_probable_class(quantile: float, expected: list[list[bool]]) -> None:
    found = members(BINARY, Conformal(0.9, quantile, 9), np.array([[0.25], [0.9375]]))
    assert found.tolist() == expected
