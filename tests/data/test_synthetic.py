from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from dltrain.base.errors import ConfigError
from dltrain.data.dataset import Dataset
from dltrain.data.synthetic import PROBLEMS, SHAPES, load

DEFAULTS: dict[str, Any] = {
    "name": "synthetic",
    "kind": "table",
    "problem": "binary",
    "rows": 200,
    "numeric_columns": 4,
    "category_columns": 2,
    "classes": 3,
    "missing": 0.05,
    "noise": 0.1,
    "words": 12,
    "image_size": 8,
    "channels": 1,
    "seed": 0,
}


def make(**changes: Any) -> Dataset:
    return load(**{**DEFAULTS, **changes})


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("kind", SHAPES)
def test_targets_fit_the_task(kind: str, problem: str) -> None:
    dataset = make(kind=kind, problem=problem)
    assert len(dataset) == 200
    assert dataset.task == problem
    assert dataset.source.startswith("made-up data: ")
    values = next(iter(dataset.target.values()))
    if problem == "multilabel":
        assert list(dataset.target) == ["label_0", "label_1", "label_2"]
        assert all(set(column) == {0.0, 1.0} for column in dataset.target.values())
    elif problem in ("binary", "multiclass"):
        expected = {"class_0", "class_1"} if problem == "binary" else {"class_0", "class_1", "class_2"}
        assert set(values) == expected
    else:
        assert values.dtype == np.float64
        assert len(set(values)) == 200
    if problem == "unit_regression":
        assert dataset.target_range == (0.0, 1.0)
        assert ((values > 0) & (values < 1)).all()


def test_table_columns() -> None:
    dataset = make(missing=0.0)
    assert dataset.kinds == {
        **{f"numeric_{index}": "numeric" for index in range(4)},
        **{f"category_{index}": "category" for index in range(2)},
    }
    assert not any(np.isnan(dataset.columns[f"numeric_{index}"]).any() for index in range(4))
    assert set(dataset.columns["category_0"]) == {"level_0", "level_1", "level_2"}


@pytest.mark.parametrize("missing", [0.05, 0.5, 1.0])
def test_missing_cells(missing: float) -> None:
    dataset = make(rows=2000, missing=missing)
    cells = [
        values == "" if dataset.kinds[name] == "category" else np.isnan(values.astype(float))
        for name, values in dataset.columns.items()
    ]
    assert np.mean(cells) == pytest.approx(missing, abs=0.02)


def test_missing_cells_do_not_change_the_target() -> None:
    without = make(missing=0.0, noise=0.0).target["target"]
    assert (make(missing=0.5, noise=0.0).target["target"] == without).all()


def test_texts_and_images() -> None:
    texts = make(kind="text", words=5).columns["text"]
    assert {len(text.split()) for text in texts} == {5}
    images = make(kind="image", image_size=6, channels=3).columns["image"]
    assert images.shape == (200, 6, 6, 3)
    assert images.dtype == np.uint8
    assert images.std() > 20


@pytest.mark.parametrize("kind", SHAPES)
def test_the_target_can_be_learnt_from_the_features(kind: str) -> None:
    dataset = make(kind=kind, problem="regression", rows=400, missing=0.0, category_columns=0)
    if kind == "table":
        features = np.column_stack(list(dataset.columns.values()))
    elif kind == "text":
        words = sorted({word for text in dataset.columns["text"] for word in text.split()})
        features = np.array([[text.split().count(word) for word in words] for text in dataset.columns["text"]])
    else:
        features = dataset.columns["image"].reshape(400, -1).astype(float)
    target = dataset.target["target"]
    fitted = LinearRegression().fit(features[:300], target[:300])
    assert fitted.score(features[300:], target[300:]) > 0.7


@pytest.mark.parametrize("kind", SHAPES)
def test_the_seed_alone_decides(kind: str) -> None:
    assert make(kind=kind).sha256() == make(kind=kind).sha256()
    assert make(kind=kind).sha256() != make(kind=kind, seed=1).sha256()


@pytest.mark.parametrize("kind", SHAPES)
def test_one_row(kind: str) -> None:
    dataset = make(kind=kind, rows=1, problem="regression", words=1, image_size=1)
    assert np.isfinite(dataset.target["target"]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "tabel"}, r"dataset\.kind=tabel.*Did you mean 'table'"),
        ({"problem": "binry"}, r"dataset\.problem=binry.*'binary'"),
        ({"rows": 0}, r"dataset\.rows=0: expected a whole number, 1 or more"),
        ({"rows": 2.5}, r"dataset\.rows=2\.5"),
        ({"rows": True}, r"dataset\.rows=True"),
        ({"numeric_columns": -1}, r"dataset\.numeric_columns=-1"),
        ({"numeric_columns": 0, "category_columns": 0}, r"dataset\.numeric_columns=0 and"),
        ({"classes": 1}, r"dataset\.classes=1"),
        ({"missing": 1.1}, r"dataset\.missing=1\.1: expected a number from 0 to 1"),
        ({"noise": -0.1}, r"dataset\.noise=-0\.1"),
        ({"noise": float("nan")}, r"dataset\.noise=nan"),
        ({"noise": float("inf")}, r"dataset\.noise=inf"),
        ({"words": "many"}, r"dataset\.words=many"),
        ({"image_size": 0}, r"dataset\.image_size=0"),
        ({"channels": 2}, r"dataset\.channels=2: expected 1"),
        ({"seed": None}, r"dataset\.seed=None"),
    ],
)
def test_values_out_of_range(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**changes)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        make(rows=0, classes=1, missing=2)
    assert len(caught.value.faults) == 3
