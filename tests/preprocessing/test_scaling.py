from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dltrain.preprocessing import scaling

TRAIN = np.array([[1.0, -50.0, 7.0], [2.0, 0.0, 7.0], [4.0, 10.0, 7.0], [9.0, 1_000.0, 7.0]])
NEW = np.array([[0.0, 2_000.0, 7.0], [5.0, -60.0, 8.0]])


def applied(scale: Callable[[Any], Any], values: np.ndarray) -> np.ndarray:
    return np.asarray(scale(values))


def test_none_changes_nothing() -> None:
    np.testing.assert_array_equal(applied(scaling.none(TRAIN), NEW), NEW)


@pytest.mark.parametrize("values", [TRAIN, NEW], ids=["train", "new"])
def test_formulas(values: np.ndarray) -> None:
    columns, low, high = values[:, :2], TRAIN[:, :2].min(axis=0), TRAIN[:, :2].max(axis=0)
    lower, middle, upper = np.percentile(TRAIN[:, :2], [25, 50, 75], axis=0)
    expected = {
        scaling.minmax: (columns - low) / (high - low),
        scaling.minmax_symmetric: 2 * (columns - low) / (high - low) - 1,
        scaling.standard: (columns - TRAIN[:, :2].mean(axis=0)) / TRAIN[:, :2].std(axis=0),
        scaling.robust: (columns - middle) / (upper - lower),
    }
    for function, result in expected.items():
        np.testing.assert_allclose(applied(function(TRAIN), values)[:, :2], result, rtol=1e-9, atol=1e-12)


def test_ranges_of_the_train_rows() -> None:
    scaled = applied(scaling.minmax(TRAIN), TRAIN)[:, :2]
    np.testing.assert_allclose([scaled.min(axis=0), scaled.max(axis=0)], [[0, 0], [1, 1]], atol=1e-12)
    symmetric = applied(scaling.minmax_symmetric(TRAIN), TRAIN)[:, :2]
    np.testing.assert_allclose([symmetric.min(axis=0), symmetric.max(axis=0)], [[-1, -1], [1, 1]], atol=1e-12)


@pytest.mark.parametrize("name", ["minmax", "minmax_symmetric", "standard", "robust"])
def test_constant_column_is_shifted_and_not_stretched(name: str) -> None:
    scaled = applied(getattr(scaling, name)(TRAIN), np.vstack([TRAIN, NEW]))
    np.testing.assert_allclose(scaled[:, 2], [0, 0, 0, 0, 0, 1], atol=1e-12)


@pytest.mark.parametrize("name", ["minmax", "minmax_symmetric", "standard", "robust"])
def test_tiny_and_huge_units_make_no_difference(name: str) -> None:
    expected = applied(getattr(scaling, name)(TRAIN), NEW)
    for unit in (1e-12, 1e12):
        found = applied(getattr(scaling, name)(TRAIN * unit), NEW * unit)
        np.testing.assert_allclose(found[:, :2], expected[:, :2], rtol=1e-6)


@pytest.mark.parametrize("name", ["standard", "robust"])
def test_rounding_does_not_stretch_a_constant_column(name: str) -> None:
    scaled = applied(getattr(scaling, name)(np.full((3, 1), 0.1)), np.array([[0.1], [1.1]]))
    np.testing.assert_allclose(scaled, [[0], [1]], atol=1e-12)


class TestNearTheEndOfFloat64:
    def scaled(self, name: str, cells: list[float]) -> list[float]:
        values = np.array(cells)[:, None]
        options = {"quantile": {"quantiles": 4}, "robust_smooth_clip": {"bound": 3.0}}.get(name, {})
        with np.errstate(over="ignore", invalid="ignore"):
            learned = getattr(scaling, name)(values, **options)
        return applied(learned, values)[:, 0].tolist()

    @pytest.mark.parametrize("name", ["minmax", "minmax_symmetric", "standard", "robust", "robust_smooth_clip"])
    @pytest.mark.parametrize("value", [1.7e308, -1.7e308, 1e20 / 3])
    def test_constant_column_is_zero(self, name: str, value: float) -> None:
        assert self.scaled(name, [value] * 6) == [0.0] * 6

    @pytest.mark.parametrize("name", ["minmax_symmetric", "standard"])
    def test_what_can_be_scaled_is(self, name: str) -> None:
        assert self.scaled(name, [1.7e308, -1.7e308] * 3) == pytest.approx([1.0, -1.0] * 3)

    @pytest.mark.parametrize("name", ["minmax", "robust", "robust_smooth_clip", "quantile"])
    def test_a_range_that_overflows_does_not_look_like_zeros(self, name: str) -> None:
        assert np.isnan(self.scaled(name, [1.7e308, -1.7e308] * 3)).any()


def test_robust_uses_the_deviation_where_the_quartiles_agree() -> None:
    values = np.array([[1.0]] * 9 + [[11.0]])
    np.testing.assert_allclose(applied(scaling.robust(values), np.array([[4.0]])), [[3 / values.std()]])


@pytest.mark.parametrize("name", ["minmax", "minmax_symmetric", "standard", "robust", "quantile"])
def test_images_are_scaled_by_channel(name: str) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (5, 4, 3, 2)).astype(np.float64)
    options = {"quantiles": 10} if name == "quantile" else {}
    scaled = applied(getattr(scaling, name)(images, **options), images)
    table = applied(getattr(scaling, name)(images.reshape(-1, 2), **options), images.reshape(-1, 2))
    np.testing.assert_allclose(scaled.reshape(-1, 2), table)


def test_smooth_clip_bends_what_robust_gives_and_stays_within_the_bound() -> None:
    train = np.arange(9.0)[:, None]  # median 4, quarters at 2 and 6
    values = np.array([[4.0], [8.0], [0.0], [4 + 4 * 3.0], [1e9]])
    found = applied(scaling.robust_smooth_clip(train, bound=3.0), values)[:, 0]
    np.testing.assert_allclose(
        found, [0, 1 / np.sqrt(1 + 1 / 9), -1 / np.sqrt(1 + 1 / 9), 3 / np.sqrt(2), 3], rtol=1e-6
    )


class TestQuantile:
    def test_gives_the_rank_among_the_train_rows(self) -> None:
        train = np.random.default_rng(0).exponential(size=(1_001, 1))
        scaled = applied(scaling.quantile(train, quantiles=100), np.sort(train, axis=0))
        np.testing.assert_allclose(scaled[:, 0], np.linspace(0, 1, 1_001), atol=0.011)

    def test_lies_in_0_to_1_outside_of_the_train_rows(self) -> None:
        scaled = applied(scaling.quantile(TRAIN, quantiles=4), np.array([[-1e9, 1e9, 1e9], [1e9, -1e9, -1e9]]))
        np.testing.assert_allclose(scaled, [[0, 1, 1], [1, 0, 0]], atol=1e-12)

    @settings(max_examples=30, deadline=None)
    @given(
        arrays(np.float64, (7, 1), elements=st.floats(-1e6, 1e6)),
        arrays(np.float64, (9, 1), elements=st.floats(-1e7, 1e7)),
    )
    def test_never_falls_and_stays_finite(self, train: np.ndarray, values: np.ndarray) -> None:
        scaled = applied(scaling.quantile(train, quantiles=5), np.sort(values, axis=0))[:, 0]
        assert np.isfinite(scaled).all()
        assert scaled.min() >= 0
        assert scaled.max() <= 1
        assert (np.diff(scaled) >= -1e-12).all()


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (6, 2), elements=st.floats(-1e12, 1e12)))
@pytest.mark.parametrize("name", ["minmax", "minmax_symmetric", "standard", "robust"])
def test_train_rows_stay_finite(name: str, values: np.ndarray) -> None:
    assert np.isfinite(applied(getattr(scaling, name)(values), values)).all()
