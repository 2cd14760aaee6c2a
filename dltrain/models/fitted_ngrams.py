"""Fits the weights that a linear model of texts starts from, as the mean of regressions that do well in folds.

From 0, gradient steps need an early stop, which a validation part with a dozen rows of a rare class cannot tell. Nor
can folds of few rows tell which penalty is best, so that each counts by the likelihood of held-out rows (Yao 2018).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from dltrain.models.linear_path import evenly, rounded
from dltrain.models.parts import Head
from dltrain.models.text_parts import towards_their_mean
from dltrain.preprocessing.log_count_ratios import log_count_ratios

# Of the squared weights, against the sum of the rows' losses where a text has the length 1; each fit starts at the last
PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
ROWS_OF_CHOICE = 2_000
FOLDS = 3
LEAST_SHARE = 0.05  # of the likelihood of the best regression, below which one is left out

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


def fitted_ngrams(
    ids: Ids,
    scales: npt.NDArray[np.floating],
    rarity: npt.NDArray[np.floating] | None,
    target: npt.NDArray[Any],
    head: Head,
    *,
    size: int,
    smoothing: float,
    interpolations: Sequence[float],
) -> tuple[Floats, Floats]:
    """Returns the weight of each n-gram (size, units) and the bias (units,) of logistic regressions of the train rows.

    `ids` are n-gram ids (n, length), 0 for padding; `scales` (n,) multiply the sum of a text's weights, and `rarity`
    (size,), which can be None, an n-gram's weight; `target` is (n, outputs). The regressions differ in the penalty and
    in the interpolation of log-count ratios, of which 0 leaves the ratios out; three folds of at most 2,000 rows tell
    what each counts in their mean.
    """
    several = head.kind.several_classes
    present = ids > 0
    begins = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    terms = ids[present]
    cells = np.repeat(scales, np.diff(begins)) * (1.0 if rarity is None else rarity[terms])
    texts = csr_matrix((cells, terms, begins), (len(ids), size))
    length = np.sqrt(max(texts.multiply(texts).sum() / len(ids), 1e-30))
    texts /= length
    weights, bias = np.zeros((size, head.units)), np.zeros(head.units)
    # Of several classes one is true; labels are fitted one by one.
    columns = [target.argmax(axis=1)] if several else list(target.T)
    for place, truth in enumerate(columns):
        classes = np.unique(truth)
        if len(classes) < 2:
            continue
        units: Any = [place]
        if several:  # of two classes, the score of the second against the first
            units = classes[1:] if len(classes) == 2 else classes
        shown = target[:, units]

        def factors(rows: Any, interpolation: float, shown: Floats = shown) -> Floats:
            if interpolation == 0:
                return np.ones(size)
            ratios = log_count_ratios(ids[rows], shown[rows], size, smoothing)
            sizes: Floats = np.abs(towards_their_mean(ratios, interpolation)).mean(axis=1).astype(np.float64)
            return sizes

        # The vectors are small, and several threads would wait for each other longer than they compute.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not converged, or a class with fewer rows than folds
            for (penalty, interpolation), share in shares_by_penalty(texts, truth, factors, interpolations).items():
                weighted = factors(slice(None), interpolation)
                model = LogisticRegression(C=1 / penalty, max_iter=300)
                model.fit(texts.multiply(weighted).tocsr(), truth)
                weights[:, units] += share * (model.coef_ * weighted).reshape(-1, size).T / length
                bias[units] += share * model.intercept_
    if rarity is not None:
        weights *= rarity[:, None]
    return rounded(weights), rounded(bias)


def shares_by_penalty(
    texts: csr_matrix,
    truth: npt.NDArray[Any],
    factors: Any,
    interpolations: Sequence[float],
) -> dict[tuple[float, float], float]:
    """Returns the share of each penalty and interpolation by the likelihood of held-out rows, which add up to 1."""
    rows = evenly(len(truth), ROWS_OF_CHOICE)
    losses = np.zeros((len(interpolations), len(PENALTIES)))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    for train, held_out in folds.split(rows, truth[rows]) if len(rows) >= 2 * FOLDS else ():
        train, held_out = rows[train], rows[held_out]
        for place, interpolation in enumerate(interpolations):
            weighted = texts.multiply(factors(train, interpolation)).tocsr()
            own = np.unique(weighted[train].indices)
            fitted, unseen = weighted[train][:, own], weighted[held_out][:, own]
            model = LogisticRegression(max_iter=300, warm_start=True)
            for number, penalty in enumerate(PENALTIES):
                model.set_params(C=1 / penalty).fit(fitted, truth[train])
                losses[place, number] += _loss(model, unseen, truth[held_out])
    shares = np.exp(losses.min() - losses)
    shares[shares < LEAST_SHARE] = 0
    shares /= shares.sum()
    return {
        (penalty, interpolation): shares[place, number]
        for place, interpolation in enumerate(interpolations)
        for number, penalty in enumerate(PENALTIES)
        if shares[place, number]
    }


def _loss(model: Any, texts: csr_matrix, truth: npt.NDArray[Any]) -> float:
    shares = model.predict_proba(texts)
    places = np.searchsorted(model.classes_, truth).clip(max=len(model.classes_) - 1)
    true = np.where(model.classes_[places] == truth, shares[np.arange(len(truth)), places], 0.0)
    return float(-np.log(np.clip(true, 1e-7, None)).sum())
