"""Chooses how texts become n-grams, by linear models on held-out rows of the train part."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.base.notes import counted
from dltrain.data.dataset import Dataset

FOLDS = 3
DEVIATIONS = 2  # of the difference of two candidates, up to which it is noise
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0)  # the best one stands for an early stop
MOST_CHARACTERS = 2_000_000  # read in all, since counting the runs of characters takes a second for a million
# Keras' own, which `standardize` takes out
PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")


def chosen(
    text: DictConfig, train: Dataset, targets: npt.NDArray[np.floating], weights: npt.NDArray[np.floating] | None
) -> tuple[DictConfig, tuple[str, ...]]:
    """Returns the options of the group `text` that are used, and a sentence for the log if they were chosen.

    Of the `candidates` of text=auto the first is taken whose squared error over three folds of the train rows is not
    above the least one beyond noise, with ridge regression of `targets`, shape (n, outputs), on n-grams weighed as in
    `recipe=text`; any other option is used as it is.
    """
    columns = [name for name, kind in train.kinds.items() if kind == "text"]
    if text.get("candidates") is None:
        return text, ()
    candidates = dict(text.candidates.items())
    if not columns:
        return next(iter(candidates.values())), ()
    cells = [train.columns[name] for name in columns]
    length = sum(len(cell) for column in cells for cell in column) / len(train)
    # Runs of characters of a long text are cut off, and say little that its words do not.
    fitting = {
        name: node
        for name, node in candidates.items()
        if node.split != "character" or length * node.ngrams <= node.sequence_length
    }
    candidates = fitting or candidates
    rows = np.random.default_rng(0).permutation(len(train))[: max(100, int(MOST_CHARACTERS / max(length, 1)))]
    texts = [" ".join(str(column[row]) for column in cells) for row in rows]
    taken = None if weights is None else weights[rows]
    by_row = {name: _errors(node, texts, targets[rows], taken) for name, node in candidates.items()}
    errors = {name: float(each.mean()) for name, each in by_row.items()}
    least = by_row[min(errors, key=lambda name: errors[name])]
    more = {name: each - least for name, each in by_row.items()}
    # The first that is not worse beyond noise, over the paired rows: of a rare class, noise is most of the difference.
    best = next(name for name, each in more.items() if each.mean() <= DEVIATIONS * each.std() / np.sqrt(len(rows)))
    others = ", ".join(f"{name} {error:.4f}" for name, error in errors.items())
    seen = counted(len(rows), "train row")
    why = "least share of the variance left" if not more[best].any() else "as good but for noise by the variance left"
    return candidates[best], (f"text {best}: {why} over folds of {seen} ({others}).",)


def _errors(
    node: DictConfig,
    texts: list[str],
    targets: npt.NDArray[np.floating],
    weights: npt.NDArray[np.floating] | None,
) -> npt.NDArray[np.floating]:
    """Returns the squared error of each row, held out, as a share of the variance of the targets; shape (rows,)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold

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
        return np.full(len(texts), np.inf)
    present = features > 0
    answers = [np.repeat(targets.mean(axis=0, keepdims=True), len(targets), axis=0)]
    answers += [np.zeros_like(targets) for _ in PENALTIES]
    for train, held_out in KFold(FOLDS).split(targets):
        factors = _factors(present[train], targets[train])
        weighted = features.multiply(factors).tocsr()
        for penalty, answer in zip(PENALTIES, answers[1:], strict=True):
            model = Ridge(penalty, solver="lsqr", tol=1e-3)
            model.fit(weighted[train], targets[train], None if weights is None else weights[train])
            answer[held_out] = model.predict(weighted[held_out]).reshape(len(held_out), -1)
    shares = 1.0 if weights is None else weights / weights.mean()
    constant, *errors = (shares * np.square(each - targets).sum(axis=1) for each in answers)
    best: npt.NDArray[np.floating] = min(errors, key=np.mean) / max(constant.mean(), np.finfo(float).tiny)
    return best


def _factors(present: Any, targets: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Returns the size of the log-count ratio of each n-gram, half its own and half the mean of all, shape (n-grams,).

    `present` is a sparse matrix of rows by n-grams that tells which are there.
    """
    sizes = []
    for column in targets.T:
        high = column > column.mean()
        counts = [1.0 + np.asarray(present[rows].sum(axis=0)).ravel() for rows in (high, ~high)]
        ratios = np.abs(np.log((counts[0] / counts[0].sum()) / (counts[1] / counts[1].sum())))
        sizes.append(ratios / max(float(ratios.mean()), np.finfo(float).tiny))
    factors: npt.NDArray[np.floating] = 0.5 + 0.5 * np.mean(sizes, axis=0)
    return factors
