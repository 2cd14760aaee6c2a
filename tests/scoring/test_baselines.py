from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from dltrain.data.targets import encode
from dltrain.scoring.baselines import baselines

GENERATOR = np.random.default_rng(0)
ROWS = 80


@pytest.fixture
def answers(make_dataset: Any) -> Any:
    """Features, answers of the baselines and target of a table of three numbers."""

    def make(cells: Any, task: str, **more: Any) -> Any:
        dataset = make_dataset({"a": np.arange(float(ROWS))}, target=cells, **more)
        target = encode(dataset, task)
        features = {"table": GENERATOR.standard_normal((ROWS, 3)).astype(np.float32)}
        return features, baselines(dataset, features, target, {"test": (dataset, features)}), target

    return make


def test_majority_gives_the_shares_of_the_train_rows(answers: Any) -> None:
    truth = np.repeat([0.0, 1.0], [20, 60])
    _, found, _ = answers(truth, "binary")
    assert set(found) == {"majority", "logistic regression"}
    np.testing.assert_allclose(found["majority"]["test"], np.full((ROWS, 1), 0.75))
    assert ((found["majority"]["train"][:, 0] > 0.5) == truth).mean() == 0.75


def test_linear_baseline_of_classes_is_logistic_regression(answers: Any) -> None:
    truth = GENERATOR.integers(0, 3, ROWS).astype(float)
    features, found, target = answers(truth, "multiclass")
    model = LogisticRegression(max_iter=1_000).fit(features["table"], target.values)
    np.testing.assert_allclose(found["logistic regression"]["test"], model.predict_proba(features["table"]), atol=1e-4)
    assert found["majority"]["test"].shape == (ROWS, 3)


def test_linear_baseline_of_a_quantity_is_ridge_regression(answers: Any) -> None:
    truth = GENERATOR.standard_normal(ROWS)
    features, found, target = answers(truth, "regression")
    model = Ridge().fit(features["table"], target.values)
    np.testing.assert_allclose(found["ridge regression"]["test"][:, 0], model.predict(features["table"]), atol=1e-5)
    np.testing.assert_allclose(found["mean"]["test"], np.full((ROWS, 1), truth.mean()), rtol=1e-5)


def test_answers_between_bounds_stay_there(make_dataset: Any) -> None:
    ratings = np.repeat([1.0, 10.0], ROWS // 2)
    dataset = make_dataset({"a": ratings}, target=ratings, target_range=(1.0, 10.0))
    target = encode(dataset, "unit_regression")
    train = {"table": ratings[:, None].astype(np.float32)}
    far = {"table": train["table"] * 100 - 500}
    found = baselines(dataset, train, target, {"test": (dataset, far)})
    np.testing.assert_array_equal(np.unique(found["ridge regression"]["test"]), [1, 10])


def test_label_that_is_constant_in_the_train_rows(answers: Any) -> None:
    labels = {"never": np.zeros(ROWS), "always": np.ones(ROWS), "often": (np.arange(ROWS) % 4 > 0).astype(float)}
    _, found, _ = answers(labels, "multilabel")
    for name in ("majority", "logistic regression"):
        assert found[name]["test"].shape == (ROWS, 3)
        np.testing.assert_array_equal(found[name]["test"][:, :2], np.tile([0.0, 1.0], (ROWS, 1)))
    np.testing.assert_allclose(found["majority"]["test"][:, 2], 0.75)


def test_class_that_the_train_rows_lack_gets_no_probability(make_dataset: Any) -> None:
    dataset = make_dataset({"a": np.arange(9.0)}, target=np.tile([0.0, 1.0, 2.0], 3))
    features = {"table": GENERATOR.standard_normal((9, 1)).astype(np.float32)}
    kept = np.flatnonzero(np.arange(9) % 3 != 1)
    train = {"table": features["table"][kept]}
    found = baselines(
        dataset.take(kept), train, encode(dataset, "multiclass").take(kept), {"test": (dataset, features)}
    )
    assert (found["logistic regression"]["test"][:, 1] == 0).all()


def test_categories_to_embed_are_taken_apart(make_dataset: Any) -> None:
    ids = np.tile([[0], [1], [2], [3]], (20, 1)).astype(np.int32)
    dataset = make_dataset({"a": np.arange(float(ROWS))}, target=(ids[:, 0] % 3 == 0).astype(float))
    unseen = {"categories": np.full((1, 1), 9, np.int32)}
    found = baselines(
        dataset,
        {"categories": ids},
        encode(dataset, "binary"),
        {"test": (dataset, {"categories": ids}), "unseen": (dataset.take(np.array([0])), unseen)},
    )
    # As a number, the id could not tell the outer ones from the inner ones.
    assert ((found["logistic regression"]["test"][:, 0] > 0.5) == dataset.target["target"]).all()
    assert np.isfinite(found["logistic regression"]["unseen"]).all()


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_texts_are_counted_anew(make_dataset: Any, task: str) -> None:
    good = np.arange(ROWS) % 2
    texts = np.array([f"a film so {'fine' if one else 'dull'}" for one in good], dtype=object)
    dataset = make_dataset({"text": texts}, target=good.astype(float), kinds={"text": "text"})
    features = {"text": np.zeros((ROWS, 4), np.int32)}
    found = baselines(dataset, features, encode(dataset, task), {"test": (dataset, features)})
    linear = next(name for name in found if name.startswith("tf-idf"))
    assert linear == f"tf-idf {'logistic' if task == 'binary' else 'ridge'} regression"
    assert ((found[linear]["test"][:, 0] > 0.5) == good).all()


def test_columns_beside_a_text_count_as_well(make_dataset: Any) -> None:
    # A title, a text, a number and a category, of which each alone tells a quarter of the rows.
    quarter, truth = np.arange(ROWS) % 4, (np.arange(ROWS) // 4 % 2).astype(float)

    def words(place: int) -> Any:
        told = np.where(truth == 1, "fine", "dull")
        return np.where(quarter == place, told, "unclear").astype(object)

    columns = {"title": words(0), "text": words(1)}
    dataset = make_dataset(columns, target=truth, kinds=dict.fromkeys(columns, "text"))
    features = {
        "text": np.zeros((ROWS, 4), np.int32),
        "table": np.where(quarter == 2, 2 * truth - 1, 0)[:, None].astype(np.float32),
        "categories": np.where(quarter == 3, 1 + truth, 0)[:, None].astype(np.int32),
    }
    found = baselines(dataset, features, encode(dataset, "binary"), {"test": (dataset, features)})
    assert ((found["tf-idf logistic regression"]["test"][:, 0] > 0.5) == truth).all()


def test_text_column_without_a_word_is_left_out(make_dataset: Any) -> None:
    columns = {name: np.full(ROWS, "", dtype=object) for name in ("title", "text")}
    dataset = make_dataset(columns, target=np.arange(ROWS) % 2, kinds=dict.fromkeys(columns, "text"))
    features = {"text": np.zeros((ROWS, 4), np.int32)}
    found = baselines(dataset, features, encode(dataset, "binary"), {"test": (dataset, features)})
    np.testing.assert_allclose(found["tf-idf logistic regression"]["test"], 0.5, atol=1e-6)


def test_same_rows_are_not_fitted_again(stage_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.models.network import build_metrics
    from dltrain.scoring import baseline_scores

    def scores(*words: str) -> Any:
        stage = stage_of("model=linear", *words)
        metrics = build_metrics(stage.task, stage.data.target)
        return baseline_scores.score_baselines(stage.data, ["train", "validation"], metrics, 42)

    first, answers = scores("dataset.rows=60")
    first["majority"]["train"]["changed"] = 1.0
    with monkeypatch.context() as patch:
        patch.setattr(baseline_scores, "baselines", None)
        again, same = scores("dataset.rows=60", "optimizer=sgd")
    assert "changed" not in again["majority"]["train"]
    assert again["logistic regression"] == first["logistic regression"]
    np.testing.assert_array_equal(same["majority"], answers["majority"])
    assert scores("dataset.rows=60", "scaling=minmax")[0]["logistic regression"] != again["logistic regression"]
