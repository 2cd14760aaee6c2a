from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlxtend.evaluate import mcnemar as mlxtend_mcnemar

from dltrain.scoring import significance


def test_mcnemar_agrees_with_mlxtend() -> None:
    first = [True] * 30 + [True] * 9 + [False] * 2 + [False] * 5
    second = [True] * 30 + [False] * 9 + [True] * 2 + [False] * 5
    test = significance.mcnemar(first, second)
    _, expected = mlxtend_mcnemar(np.array([[30, 9], [2, 5]]), exact=True)
    assert test.p_value == pytest.approx(expected)
    assert test.difference == pytest.approx(-7 / 46)
    assert "9 rows" in test.note


def test_pairs_that_do_not_vary_have_no_p_value() -> None:
    right = [True, False] * 10
    tests = [
        significance.mcnemar(right, right),
        significance.paired_bootstrap(right, right),
        significance.corrected_t([0.5, 0.6], [0.5, 0.6], 1.0),
        significance.wilcoxon([0.5, 0.6], [0.5, 0.6]),
    ]
    assert [(test.difference, test.interval, test.p_value) for test in tests] == [(0, None, None)] * 4
    assert tests[0].note == "both are right on the same rows"
    assert {test.note for test in tests[1:]} == {"the scores are equal in every pair"}
    # Differences of 0.1 that are equal but for rounding.
    tests = [
        significance.corrected_t([0.5, 0.6], [0.6, 0.7], 1.0),
        significance.wilcoxon([0.1, 0.2, 0.3], [0.2, 0.3, 0.4]),
        significance.paired_bootstrap([0.1, 0.2, 0.3] * 5, [0.2, 0.3, 0.4] * 5),
    ]
    assert [test.difference for test in tests] == pytest.approx([0.1] * 3)
    assert [(test.interval, test.p_value, test.note) for test in tests] == [
        (None, None, "the difference is the same in every pair")
    ] * 3


def test_bootstrap_interval_is_that_of_normal_theory_and_repeats() -> None:
    generator = np.random.default_rng(1)
    first = generator.normal(size=400)
    second = first + generator.normal(0.1, 0.5, size=400)
    test = significance.paired_bootstrap(list(first), list(second))
    spread = 1.96 * np.std(second - first) / 20
    assert test.interval == pytest.approx((test.difference - spread, test.difference + spread), abs=0.01)
    assert test == significance.paired_bootstrap(list(first), list(second))


def test_bootstrap_of_squared_errors_compares_their_roots() -> None:
    test = significance.paired_bootstrap([4.0] * 20, [9.0] * 19 + [9.5], root=True)
    assert test.difference == pytest.approx(np.sqrt(9.025) - 2)
    assert test.interval == pytest.approx((1, 1.01), abs=0.01)
    assert test.p_value == pytest.approx(0.0002, rel=0.01)


def test_corrected_t_by_hand() -> None:
    # Differences 0.1, 0.2, 0.3: mean 0.2, variance 0.01; error sqrt((1/3 + 1/2) 0.01).
    test = significance.corrected_t([0, 0, 0], [0.1, 0.2, 0.3], 0.5)
    error = math.sqrt((1 / 3 + 1 / 2) * 0.01)
    assert test.difference == pytest.approx(0.2)
    assert test.interval == pytest.approx((0.2 - 4.302653 * error, 0.2 + 4.302653 * error), rel=1e-5)
    # Student's distribution function with 2 degrees of freedom has a closed form.
    t = 0.2 / error
    assert test.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t))


def test_wilcoxon_says_when_it_cannot_find_anything() -> None:
    few = significance.wilcoxon([0.1] * 5, [0.2, 0.3, 0.4, 0.5, 0.6])
    assert few.p_value == pytest.approx(0.0625)
    assert "cannot fall below 0.0625" in few.note
    assert significance.wilcoxon([0.1] * 6, [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]).note == ""


def test_holm_of_its_definition() -> None:
    assert significance.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_helps(p_values: list[float]) -> None:
    corrected = significance.holm(p_values)
    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))
    ranked = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert ranked == sorted(ranked)
