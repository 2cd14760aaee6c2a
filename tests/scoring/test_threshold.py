from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.scoring.threshold import choose

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(1, 4)), min_size=2, max_size=40)


@pytest.mark.parametrize("criterion", ["f1", "balanced_accuracy", "cost"])
@given(rows=ROWS, cost=st.sampled_from([0.1, 1.0, 7.0]))
def test_no_other_threshold_is_better(criterion: str, rows: list[tuple[bool, int, int]], cost: float) -> None:
    truth = np.array([row[0] for row in rows], float)
    given_, weights = np.array([row[1] / 20 for row in rows]), np.array([row[2] for row in rows], float)

    def gain(threshold: float) -> float:
        chosen = given_ > threshold
        hit = (weights * (chosen & (truth == 1))).sum()
        alarm = (weights * (chosen & (truth == 0))).sum()
        missed = (weights * (~chosen & (truth == 1))).sum()
        positive, negative = weights[truth == 1].sum(), weights[truth == 0].sum()
        if criterion == "f1":
            return float(2 * hit / (2 * hit + alarm + missed)) if hit + alarm + missed else -np.inf
        if criterion == "cost":
            return -float(alarm + cost * missed)
        return float(hit / positive - alarm / negative) if positive and negative else -np.inf

    costs = {"false_positive_cost": 1.0, "false_negative_cost": cost} if criterion == "cost" else {}
    found = choose(criterion, truth, given_, weights, **costs)
    assert 0 <= found <= 1
    assert gain(found) >= max(gain(other) for other in np.linspace(0, 1, 77)) - 1e-9


def test_threshold_lies_in_the_middle_between_what_it_parts() -> None:
    assert choose("f1", np.array([0, 0, 1, 1.0]), np.array([0.1, 0.2, 0.6, 0.9]), None) == pytest.approx(0.4)
