from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import dltrain
from dltrain.api.estimators import EstimatorError

SMALL: dict[str, Any] = {"model__units": [16], "optimizer__learning_rate": 0.02, "model__dropout": 0.0}
CHECKED = {**SMALL, "early_stopping": False, "trainer__epochs": 60}
BATCHES = "the rows are drawn in mini-batches, so that a weight of two is not the same as a row that is there twice"
EXPECTED_FAILURES = {
    "check_no_attributes_set_in_init": "overrides are keywords that the constructor does not list, as any key is one",
    "check_sample_weight_equivalence_on_dense_data": BATCHES,
    "check_methods_subset_invariance": "the last of 32 bits depends on how many rows are computed together",
}


@parametrize_with_checks(
    [dltrain.Classifier("mlp", **CHECKED), dltrain.Regressor("mlp", **CHECKED)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_it_keeps_what_scikit_learn_asks_of_estimators(estimator: Any, check: Any) -> None:
    check(estimator)


def test_at_most_five_failures_are_expected_each_with_its_reason() -> None:
    assert len(EXPECTED_FAILURES) <= 5
    assert all(EXPECTED_FAILURES.values())


@pytest.fixture(scope="module")
def flowers() -> tuple[Any, Any]:
    """Rows and the words for their classes."""
    rows, kinds = load_iris(return_X_y=True)
    return rows, np.array(["setosa", "versicolor", "virginica"])[kinds]


@pytest.fixture(scope="module")
def classifier(flowers: tuple[Any, Any]) -> dltrain.Classifier:
    return dltrain.Classifier("mlp", trainer__epochs=20, **SMALL).fit(*flowers)


def test_classes_are_those_of_the_target(classifier: dltrain.Classifier, flowers: tuple[Any, Any]) -> None:
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert classifier.n_features_in_ == 4
    assert classifier.score(*flowers) > 0.8
    assert classifier.predict_proba(flowers[0]).sum(axis=1) == pytest.approx(np.ones(150))
    assert list(classifier.history_.index) == list(range(1, 21))


def test_it_is_saved_without_pickle_and_pickled_as_bytes(
    classifier: dltrain.Classifier, flowers: tuple[Any, Any], tmp_path: Path
) -> None:
    import keras

    classifier.save(tmp_path / "flowers.keras")
    loaded = dltrain.Classifier.load(tmp_path / "flowers.keras")
    unpickled = pickle.loads(pickle.dumps(classifier))
    for other in (loaded, unpickled):
        assert (other.predict_proba(flowers[0]) == classifier.predict_proba(flowers[0])).all()
        assert other.get_params() == classifier.get_params()
        assert other.history_.equals(classifier.history_)
    assert all(isinstance(value, (bytes, str)) for name, value in classifier.__getstate__().items() if "_f" in name[:2])
    assert keras.models.load_model(tmp_path / "flowers.keras").count_params() > 0
    with pytest.raises(EstimatorError, match="holds a Classifier, expected a Regressor"):
        dltrain.Regressor.load(tmp_path / "flowers.keras")
    with pytest.raises(EstimatorError, match="holds no saved estimator"):
        dltrain.Classifier.load(tmp_path / "other.keras")


def test_overrides_are_parameters() -> None:
    made = dltrain.Classifier("mlp", trainer__epochs=3)
    assert made.get_params()["trainer__epochs"] == 3
    assert clone(made).set_params(trainer__epochs=4, model="linear").get_params() == {
        **made.get_params(),
        "trainer__epochs": 4,
        "model": "linear",
    }
    assert repr(made) == "Classifier(model='mlp', trainer__epochs=3)"


def test_it_stands_in_pipelines_and_searches(flowers: tuple[Any, Any]) -> None:
    piped = make_pipeline(StandardScaler(), dltrain.Classifier("mlp", trainer__epochs=5, **SMALL))
    assert cross_val_score(piped, *flowers, cv=2).shape == (2,)
    search = GridSearchCV(dltrain.Classifier("mlp", **SMALL), {"trainer__epochs": [1, 20]}, cv=2).fit(*flowers)
    assert search.best_params_ == {"trainer__epochs": 20}


def test_no_row_is_held_back_for_a_test_and_validation_is_for_early_stopping_alone(tmp_path: Path) -> None:
    rows, target = load_diabetes(return_X_y=True)
    for name, stops, parts in (("with", True, {"train": 398, "validation": 44}), ("without", False, {"train": 442})):
        made = dltrain.Regressor("mlp", trainer__epochs=1, early_stopping=stops, directory=tmp_path / name, **SMALL)
        made.fit(rows, target)
        (directory,) = (tmp_path / name).iterdir()
        facts = json.loads((directory / "run.json").read_text())
        assert facts["data"]["parts"] == parts
        assert facts["test_scorings"] == []


def test_nothing_is_left_without_a_directory(
    flowers: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dltrain.Classifier("mlp", trainer__epochs=1, **SMALL).fit(*flowers).predict(flowers[0])
    assert not list(tmp_path.iterdir())


def test_frames_may_hold_words_truth_values_and_gaps() -> None:
    rng = np.random.default_rng(3)
    word = rng.choice(["a", "b", None], 90)
    frame = pd.DataFrame(
        {"number": rng.normal(size=90), "word": word, "kind": pd.Categorical(word), "truth": word == "a", "x y": 1.0}
    )
    frame.loc[::7, "number"] = np.nan
    made = dltrain.Classifier("mlp", trainer__epochs=40, **SMALL).fit(frame, word == "a")
    assert made.score(frame, word == "a") > 0.9
    assert made.predict(frame).dtype == bool
    assert made.feature_names_in_.tolist() == list(frame)
    with pytest.raises(ValueError, match="feature names"):
        made.predict(frame.drop(columns="word"))


def test_what_an_estimator_decides_itself_is_refused(flowers: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match="no effect") as refused:
        dltrain.Classifier(cv="kfold", conformal=0.9).fit(*flowers)
    assert [fault.split()[0] for fault in refused.value.faults] == ["cv", "conformal"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"model": "mpl"}, "model: there is no option 'mpl'. Did you mean model=mlp?"),
        (
            {"model": "mlp", "trainer__epohcs": 3},
            "trainer.epohcs: there is no such key. Did you mean trainer.epochs=3?",
        ),
    ],
)
def test_faults_are_values_that_scikit_learn_understands(
    arguments: dict[str, Any], fault: str, flowers: tuple[Any, Any]
) -> None:
    with pytest.raises(ValueError, match="there is no") as refused:
        dltrain.Classifier(**arguments).fit(*flowers)
    (told,) = refused.value.faults  # type: ignore[attr-defined]
    assert told.startswith(fault)


def test_the_default_is_the_recipe_for_tables(tmp_path: Path, flowers: tuple[Any, Any]) -> None:
    words = dltrain.Classifier(trainer__epochs=1, model__ensemble=2, directory=tmp_path).fit(*flowers)
    (directory,) = tmp_path.iterdir()
    config = dltrain.Run(directory).config
    assert (config.model._target_, config.model.ensemble) == ("dltrain.models.tabular.tabular", 2)
    assert config.optimizer.learning_rate == 0.01
    assert words.predict(flowers[0]).shape == (150,)
