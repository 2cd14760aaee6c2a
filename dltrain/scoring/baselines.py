"""Fits simple models on the same split; a network that does not beat them has learned little."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgWarning
from scipy.sparse import csr_matrix, hstack, issparse
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge
from sklearn.preprocessing import OneHotEncoder

from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target
from dltrain.preprocessing.fit import Features

Answers = npt.NDArray[np.float64]
Found = dict[str, dict[str, Answers]]

ROWS_OF_QUANTILES = 2_000  # of a linear program, which takes the cube of their time


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
        linear_name = f"tf-idf {linear_name}"
    matrices = _matrices(inputs)
    if target.quantiles:
        return _quantiles(constant_name, linear_name, matrices, target)
    constant: Any = DummyClassifier(strategy="prior") if target.classes else DummyRegressor()
    linear: Any = LogisticRegression(max_iter=1_000) if target.classes else Ridge()
    fitted = {
        constant_name: (constant, {part: np.zeros((m.shape[0], 1)) for part, m in matrices.items()}),
        linear_name: (linear, matrices),
    }
    return {name: _answers(model, inputs_of, set(matrices), target) for name, (model, inputs_of) in fitted.items()}


def _matrices(inputs: dict[str, tuple[Dataset, Features]]) -> dict[str, Any]:
    """Joins all that the network sees, shape (rows, width): numbers, one-hot categories, pixels and TF-IDF of words."""
    train, features = inputs["train"]
    blocks: dict[str, list[Any]] = {part: [] for part in inputs}
    # Words are counted again, because a sequence of word ids is no input for a linear model.
    for name in [column for column, kind in train.kinds.items() if kind == "text" and "text" in features]:
        encoder = TfidfVectorizer(sublinear_tf=True, min_df=2 if len(train) > 100 else 1)
        try:
            encoder.fit(train.columns[name])
        except ValueError:  # no word is left
            continue
        for part, (dataset, _) in inputs.items():
            blocks[part].append(encoder.transform(dataset.columns[name]))
    for name in ("table", "image"):
        if name in features:
            for part, (_, found) in inputs.items():
                blocks[part].append(found[name].reshape(len(found[name]), -1))
    if "categories" in features:
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(features["categories"])
        for part, (_, found) in inputs.items():
            blocks[part].append(one_hot.transform(found["categories"]))
    if not blocks["train"]:
        return {part: np.zeros((len(dataset), 1)) for part, (dataset, _) in inputs.items()}
    join = hstack if any(issparse(block) for block in blocks["train"]) else np.hstack
    return {part: csr_matrix(join(found)) if join is hstack else join(found) for part, found in blocks.items()}


def _answers(model: Any, inputs: dict[str, Any], parts: set[str], target: Target) -> dict[str, Answers]:
    with warnings.catch_warnings():
        # A linear model that has not converged or is badly conditioned is still a baseline.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        if not target.kind.labels:
            model.fit(inputs["train"], target.values, sample_weight=target.relative_weights)
            answers = {part: _answer(model, inputs[part], target) for part in parts}
            return with_deviation(answers, target) if target.kind.deviation else answers
        columns: dict[str, list[Answers]] = {part: [] for part in parts}
        for label in range(target.units):
            truth = target.values[:, label]
            known = len(np.unique(truth)) > 1
            if known:
                model.fit(inputs["train"], truth, sample_weight=target.relative_weights)
            for part in parts:
                same = np.full(inputs[part].shape[0], float(truth[0]))
                columns[part].append(model.predict_proba(inputs[part])[:, 1] if known else same)
    return {part: np.column_stack(found) for part, found in columns.items()}


def _quantiles(constant_name: str, linear_name: str, matrices: dict[str, Any], target: Target) -> Found:
    """Fits each quantile by itself, and orders those of a row, which can cross each other."""
    some = np.linspace(0, len(target.values) - 1, min(len(target.values), ROWS_OF_QUANTILES)).astype(np.intp)
    weights = None if target.weights is None else target.weights[some]
    order = np.argsort(np.argsort(target.quantiles))
    found: Found = {constant_name: {}, linear_name: {}}
    fitted: dict[str, list[Any]] = {constant_name: [], linear_name: []}
    for share in target.quantiles:
        constant = DummyRegressor(strategy="quantile", quantile=share)
        fitted[constant_name].append(constant.fit(matrices["train"], target.values, sample_weight=target.weights))
        linear = QuantileRegressor(quantile=share, alpha=0.001 * target.scale, solver="highs")
        rows = matrices["train"][some]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted[linear_name].append(
                linear.fit(rows.toarray() if issparse(rows) else rows, target.values[some], sample_weight=weights)
            )
    for name, models in fitted.items():
        for part, rows in matrices.items():
            dense = rows.toarray() if issparse(rows) else rows
            answers = np.column_stack([np.asarray(model.predict(dense), np.float64).ravel() for model in models])
            found[name][part] = np.sort(answers, axis=1)[:, order]
    return found


def with_deviation(answers: dict[str, Answers], target: Target) -> dict[str, Answers]:
    """Adds to each mean the standard deviation of the errors on the train rows, which is the same for all."""
    spread = math.sqrt(target.mean(np.square(answers["train"] - target.column)[:, 0]))
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
