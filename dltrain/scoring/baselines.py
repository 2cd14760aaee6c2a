"""Fits simple models on the same split; a network that does not beat them has learned little."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgWarning
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target
from dltrain.preprocessing.fit import Features

Answers = npt.NDArray[np.float64]


def baselines(
    train: Dataset, features: Features, target: Target, others: dict[str, tuple[Dataset, Features]]
) -> dict[str, dict[str, Answers]]:
    """Fits the constant and the linear baseline on the train rows.

    `others` holds the parts to predict, raw and as features, by name. Returns for each baseline and part predictions of
    shape (rows, units), like those of the network.
    """
    inputs = {"train": (train, features), **others}
    constant_name, linear_name = target.kind.baselines
    if "text" in features:
        # Words are counted again, because a sequence of word ids is no input for a linear model.
        name = next(column for column, kind in train.kinds.items() if kind == "text")
        encoder = TfidfVectorizer(sublinear_tf=True, min_df=2 if len(train) > 100 else 1)
        matrices = {part: dataset.columns[name].astype(str) for part, (dataset, _) in inputs.items()}
        linear_name = f"tf-idf {linear_name}"
    else:
        encoder = None
        matrices = _matrices({part: found for part, (_, found) in inputs.items()})
    constant: Any = DummyClassifier(strategy="prior") if target.classes else DummyRegressor()
    linear: Any = LogisticRegression(max_iter=1_000) if target.classes else Ridge()
    fitted = {
        constant_name: (constant, {part: np.zeros((len(m), 1)) for part, m in matrices.items()}),
        linear_name: (make_pipeline(encoder, linear) if encoder else linear, matrices),
    }
    return {name: _answers(model, inputs_of, set(matrices), target) for name, (model, inputs_of) in fitted.items()}


def _matrices(features: dict[str, Features]) -> dict[str, npt.NDArray[Any]]:
    """Joins numbers, one-hot categories and pixels, shape (rows, width)."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    if "categories" in features["train"]:
        encoder.fit(features["train"]["categories"])

    def matrix(part: Features) -> npt.NDArray[Any]:
        blocks = [part[name].reshape(len(part[name]), -1) for name in ("table", "image") if name in part]
        if "categories" in part:
            blocks.append(encoder.transform(part["categories"]))
        return np.hstack(blocks)

    return {name: matrix(part) for name, part in features.items()}


def _answers(model: Any, inputs: dict[str, Any], parts: set[str], target: Target) -> dict[str, Answers]:
    with warnings.catch_warnings():
        # A linear model that has not converged or is badly conditioned is still a baseline.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        if not target.kind.labels:
            model.fit(inputs["train"], target.values)
            answers = {part: _answer(model, inputs[part], target) for part in parts}
            return with_deviation(answers, target) if target.kind.deviation else answers
        columns: dict[str, list[Answers]] = {part: [] for part in parts}
        for label in range(target.units):
            truth = target.values[:, label]
            if len(np.unique(truth)) > 1:
                model.fit(inputs["train"], truth)
            for part in parts:
                rows = len(inputs[part])
                known = len(np.unique(truth)) > 1
                columns[part].append(
                    model.predict_proba(inputs[part])[:, 1] if known else np.full(rows, float(truth[0]))
                )
    return {part: np.column_stack(found) for part, found in columns.items()}


def with_deviation(answers: dict[str, Answers], target: Target) -> dict[str, Answers]:
    """Adds to each mean the standard deviation of the errors on the train rows, which is the same for all."""
    spread = np.sqrt(np.mean(np.square(answers["train"] - target.column)))
    spread = max(float(spread), float(np.finfo(np.float32).tiny))  # a linear model may fit every row exactly
    return {part: np.hstack([given, np.full_like(given, spread)]) for part, given in answers.items()}


def _answer(model: Any, rows: Any, target: Target) -> Answers:
    if not target.classes:
        low, high = (target.offset, target.offset + target.scale) if target.kind.bounded else (-np.inf, np.inf)
        return np.asarray(np.clip(model.predict(rows), low, high)).reshape(-1, 1)
    probabilities: Answers = model.predict_proba(rows)
    if target.kind.two_classes:
        return probabilities[:, -1:]
    # A class that no train row has gets probability 0.
    answers = np.zeros((len(probabilities), target.units))
    answers[:, model.classes_.astype(int)] = probabilities
    return answers
