"""Chooses how texts become n-grams, by linear models on held-out rows of the train part."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.base.notes import counted
from dltrain.data.dataset import Dataset

FOLDS = 3
PENALTIES = (0.25, 1.0, 4.0, 16.0)  # the best one stands for an early stop
MOST_CHARACTERS = 2_000_000  # read in all, since counting the runs of characters takes a second for a million
# Keras' own, which `standardize` takes out
PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")


def chosen(
    text: DictConfig, train: Dataset, targets: npt.NDArray[np.floating], weights: npt.NDArray[np.floating] | None
) -> tuple[DictConfig, tuple[str, ...]]:
    """Returns the options of the group `text` that are used, and a sentence for the log if they were chosen.

    Of the `candidates` of text=auto the one with the least squared error over three folds of the train rows is taken,
    with ridge regression of `targets`, shape (n, outputs), on TF-IDF; any other option is used as it is.
    """
    columns = [name for name, kind in train.kinds.items() if kind == "text"]
    if text.get("candidates") is None:
        return text, ()
    candidates = dict(text.candidates.items())
    if not columns:
        return next(iter(candidates.values())), ()
    length = sum(len(cell) for name in columns for cell in train.columns[name]) / len(train)
    rows = np.random.default_rng(0).permutation(len(train))[: max(100, int(MOST_CHARACTERS / max(length, 1)))]
    if 2 * len(rows) < len(train):
        # More rows than are looked at can tell what pairs of words mean.
        candidates = {name: node for name, node in candidates.items() if node.ngrams > 1} or candidates
    texts = [" ".join(str(train.columns[name][row]) for name in columns) for row in rows]
    taken = None if weights is None else weights[rows]
    errors = {name: _error(node, texts, targets[rows], taken) for name, node in candidates.items()}
    best = min(errors, key=lambda name: errors[name])
    others = ", ".join(f"{name} {error:.4f}" for name, error in errors.items())
    seen = counted(len(rows), "train row")
    return candidates[best], (f"text {best}: least share of the variance left over folds of {seen} ({others}).",)


def _error(
    node: DictConfig,
    texts: list[str],
    targets: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating] | None,
) -> float:
    """Returns the mean squared error on held-out rows, as a share of the variance of the targets."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold, cross_val_predict

    lower, strips = "lower" in node.standardize, "strip" in node.standardize

    def standardized(cell: str) -> str:
        cell = cell.lower() if lower else cell
        return PUNCTUATION.sub("", cell) if strips else cell

    encoder = TfidfVectorizer(
        preprocessor=standardized,
        analyzer="char" if node.split == "character" else "word",
        token_pattern=None if node.split == "character" else r"\S+",
        ngram_range=(1, node.ngrams),
        max_features=node.vocabulary_size,
        binary=True,
        dtype=np.float32,
    )
    try:
        features = encoder.fit_transform(texts)
    except ValueError:  # no word is left
        return np.inf
    fitted = {} if weights is None else {"params": {"sample_weight": weights}}
    answers = [targets.mean(axis=0, keepdims=True)]
    for penalty in PENALTIES:
        model = Ridge(penalty, solver="lsqr", tol=1e-3)
        answers.append(cross_val_predict(model, features, targets, cv=KFold(FOLDS), **fitted).reshape(targets.shape))
    constant, *errors = (np.average(np.square(each - targets).sum(axis=1), weights=weights) for each in answers)
    return float(min(errors) / max(constant, np.finfo(float).tiny))
