"""Points whose classes form a shape, and those along a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from dltrain.base.errors import ConfigError
from dltrain.data.dataset import Dataset
from dltrain.data.points import SHAPES, load

SEVERAL = [shape for shape, (_, _, several) in SHAPES.items() if several]


def make(**changes: Any) -> Dataset:
    return load(
        **{"name": "points", "shape": "moons", "rows": 300, "classes": None, "noise": 0.1, "seed": 0, **changes}
    )


def places(dataset: Dataset) -> np.ndarray:
    return np.column_stack([dataset.columns["x_1"], dataset.columns["x_2"]]).astype(float)


@pytest.mark.parametrize("shape", SHAPES)
def test_classes_can_be_told_from_their_neighbours_and_not_by_a_line(shape: str) -> None:
    dataset = make(shape=shape)
    found, classes = places(dataset), dataset.target["class"]
    assert dataset.task == ("multiclass" if shape == "blobs" else "binary")
    counts = np.unique(classes, return_counts=True)[1]
    assert counts.min() > 0.8 * 300 / len(counts)
    neighbours = KNeighborsClassifier(5).fit(found[:200], classes[:200]).score(found[200:], classes[200:])
    line = LogisticRegression().fit(found[:200], classes[:200]).score(found[200:], classes[200:])
    assert neighbours > 0.8
    assert shape == "blobs" or line < neighbours - 0.03
    assert np.abs(found).max() < 3


@pytest.mark.parametrize("shape", SEVERAL)
def test_shape_of_more_classes(shape: str) -> None:
    dataset = make(shape=shape, classes=5, noise=0.0)
    assert set(dataset.target["class"]) == {f"class_{place}" for place in range(5)}
    assert dataset.task == "multiclass"
    assert set(make(shape=shape, classes=2).target["class"]) == {"class_0", "class_1"}


def test_curve_has_one_column_and_an_amount() -> None:
    dataset = make(shape="curve", noise=0.0)
    assert list(dataset.columns) == ["x"]
    assert dataset.task == "regression"
    assert np.allclose(dataset.target["y"], np.sin(2 * dataset.columns["x"].astype(float)))
    assert 0.05 < np.std(make(shape="curve").target["y"].astype(float) - dataset.target["y"].astype(float)) < 0.2


@pytest.mark.parametrize("shape", [*SHAPES, "curve"])
def test_the_seed_alone_decides(shape: str) -> None:
    assert make(shape=shape).sha256() == make(shape=shape).sha256()
    assert make(shape=shape).sha256() != make(shape=shape, seed=1).sha256()
    assert make(shape=shape).sha256() != make(shape=shape, noise=0.2).sha256()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": "spiral"}, r"dataset\.shape=spiral: no such shape. Did you mean 'spirals'"),
        ({"classes": 3}, r"dataset\.classes=3: dataset\.shape=moons has 2; spirals, blobs, stripes can have more"),
        ({"shape": "curve", "classes": 2}, r"dataset\.classes=2: a curve has no classes; expected null"),
        ({"shape": "blobs", "classes": 1}, r"dataset\.classes=1: expected a whole number, 2 or more"),
        ({"rows": 1}, r"dataset\.rows=1: expected a whole number, 2 or more"),
        ({"shape": "blobs", "classes": 9, "rows": 8}, r"dataset\.rows=8: expected a whole number, 9 or more"),
        ({"noise": -0.1}, r"dataset\.noise=-0\.1: expected a number from 0"),
        ({"seed": -1}, r"dataset\.seed=-1"),
    ],
)
def test_values_out_of_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**changes)
