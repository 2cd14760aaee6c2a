from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer

from dltrain.base.errors import ConfigError
from dltrain.data.target_scaling import KNOTS, bent, knots_of, unbent
from dltrain.data.targets import Target

AMOUNTS = st.lists(st.one_of(st.integers(0, 10**6), st.floats(0.01, 1e6)), min_size=5, max_size=200)


# Values next to each other make steep segments.
@example([0, 0, 0, 0.01, 0.010000000000000002], "quantile")
@example([0, 1, 79638.0, 0.01, 0.010000000000000002], "quantile")
@given(AMOUNTS, st.sampled_from(["log", "quantile"]))
def test_values_come_back_and_keep_their_order(amounts: list[float], bend: str) -> None:
    values = np.array(amounts, np.float64)
    if len(np.unique(values)) < 3:
        with pytest.raises(ConfigError, match=f"target_scaling={bend}: expected three different values"):
            knots_of(values, bend)
        return
    knots = knots_of(values, bend)
    assert 3 <= len(knots) <= KNOTS
    beyond = np.concatenate([values, [values.min() - 1, values.max() + 1]])
    scaled = bent(beyond, knots)
    assert np.allclose(bent(scaled, unbent(knots)), beyond, rtol=1e-6, atol=1e-6 * np.ptp(values))
    assert (np.diff(scaled[np.argsort(beyond, kind="stable")]) >= -1e-9).all()
    at, known = np.array(knots).T
    assert np.allclose(scaled[:-2], np.interp(values, at, known), atol=1e-6)


def test_log_is_nearly_that_of_numpy_and_quantile_that_of_scikit_learn() -> None:
    values = np.exp(np.random.default_rng(0).normal(3, 1.5, 2000))
    logs = np.log(values)
    assert np.abs(bent(values, knots_of(values, "log")) - (logs - logs.mean()) / logs.std()).max() < 0.02
    transformer = QuantileTransformer(n_quantiles=2000, output_distribution="normal")
    inner = (values > np.quantile(values, 0.05)) & (values < np.quantile(values, 0.95))
    expected = transformer.fit_transform(values[:, None])[:, 0]
    assert np.abs(bent(values, knots_of(values, "quantile")) - expected)[inner].max() < 0.05
    counts = np.array([0.0, 0, 1, 2, 9])
    assert bent(counts, knots_of(counts, "log"))[0] == pytest.approx(
        (0 - np.log1p(counts).mean()) / np.log1p(counts).std()
    )


def test_the_logarithm_of_a_negative_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"expected no value below 0, got -1\. Use task.target_scaling=quantile"):
        knots_of(np.array([-1.0, 2, 3]), "log")


def test_only_train_rows_are_looked_at() -> None:
    target = Target("regression", np.array([1, 2, 4, 8, 1e9, 1e12], np.float32))
    train = np.arange(4)
    assert target.scaled_on(train, "quantile").knots == target.take(train).scaled_on(train, "quantile").knots
