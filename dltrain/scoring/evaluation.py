"""Scores a model on each part, with intervals."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.stats import binomtest, norm

from dltrain.config.metric_traits import MetricTraits, traits_of
from dltrain.data.targets import Target
from dltrain.scoring import exact_area
from dltrain.scoring.comparison import LEAST_ROWS, RESAMPLED_AT_ONCE, Difference, resamples
from dltrain.scoring.significance import CONFIDENCE

MOST_KEPT = 8  # graphs of metrics
_graphs: dict[str, Callable[..., Any]] = {}
_lock = threading.Lock()  # a graph's metrics have variables that only one caller may use at a time

Scores = dict[str, float]
Intervals = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Results:
    """The final scores of a run; metrics are by part and name."""

    metrics: Mapping[str, Scores]
    intervals: Mapping[str, Intervals]  # 95 % intervals of the test metrics, for this split and seed alone
    # Metrics of simple models on the same parts, by baseline, part and name
    baselines: Mapping[str, Mapping[str, Scores]]
    difference: Difference  # the network against the best baseline, on the part that was scored last
    notes: Sequence[str]
    best_epoch: int  # the epoch (from 1) whose weights are kept; 0, as `epochs`, of an ensemble
    epochs: int
    best_value: float  # the monitored value of the best epoch, or its mean over folds or seeds
    monitor: str
    exact: Sequence[str] = ()  # names of the metrics that are areas computed from ranks, not over thresholds
    cross_validation: Mapping[str, Any] | None = None  # the content of cv/summary.json, if there were folds
    # The metrics of each seed with mean, standard deviation and interval, if there were several
    seeds: Mapping[str, Any] | None = None
    # What was fitted after the training, on which rows, and what it changed; empty if nothing was
    decisions: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Returns the content of metrics.json."""
        return {
            **self.metrics,
            "intervals": self.intervals,
            "baselines": self.baselines,
            "difference": asdict(self.difference),
            "notes": list(self.notes),
            "best_epoch": self.best_epoch or None,
            "epochs": self.epochs or None,
            "best_value": self.best_value,
            "monitor": self.monitor,
            **({"exact": list(self.exact)} if self.exact else {}),
            **({} if self.cross_validation is None else {"cross_validation": self.cross_validation}),
            **({} if self.seeds is None else {"seeds": self.seeds}),
            **({"decisions": self.decisions} if self.decisions else {}),
        }


def score(metrics: Sequence[keras.metrics.Metric], target: Target, answers: npt.NDArray[np.floating[Any]]) -> Scores:
    """Computes metrics of predictions (rows, units), weighted as the rows are, NaN for one not defined on these rows.

    Areas under the ROC curve are exact, without thresholds. The metrics are reset first.
    """
    scores = exact_areas(metrics, target, answers)
    for metric in metrics:
        if metric.name in scores:
            continue
        metric.reset_state()
        metric.update_state(target.column, answers, sample_weight=target.weights)
        scores[metric.name] = float(metric.result())
    named = {metric.name: scores[metric.name] for metric in metrics}
    return named | dict.fromkeys(undefined(metrics, target), float("nan"))


def exact_areas(
    metrics: Sequence[keras.metrics.Metric], target: Target, answers: npt.NDArray[np.floating[Any]]
) -> Scores:
    """Computes those of the metrics that are areas under the ROC curve from the order of all predictions."""
    once = np.ones((1, len(answers)), np.uint8) if target.weights is None else target.weights[None]
    return {
        metric.name: float(exact_area.areas(metric, target, answers, once)[0])
        for metric in metrics
        if exact_area.is_exact(metric, target)
    }


def undefined(metrics: Sequence[keras.metrics.Metric], target: Target) -> list[str]:
    """Returns the names of the metrics that are not defined on these rows: an area under a curve needs both classes."""
    if not target.kind.zero_or_one or target.values.min() < target.values.max():
        return []
    # Keras gives 0, which says nothing about the model.
    return [metric.name for metric in metrics if traits_of(type(metric)).needs_both]


def name_of_area(metrics: Sequence[keras.metrics.Metric]) -> str | None:
    """Returns the name of the first metric that is the area under the ROC curve; None if there is none."""
    areas = [metric for metric in metrics if isinstance(metric, keras.metrics.AUC)]
    return next((metric.name for metric in areas if metric.get_config()["curve"] == "ROC"), None)


def without_interval(metrics: Sequence[keras.metrics.Metric], target: Target) -> dict[str, str]:
    """Returns by name, with the reason, the metrics of classes that too few rows of the rarer class speak of."""
    if not target.kind.zero_or_one:
        return {}
    traits = {metric: traits_of(type(metric)) for metric in metrics}
    rows = {each.name: exact_area.rarest(each, target) for each in metrics if _of_rarer(traits[each])}
    return {
        name: f"the rarer class has {count} of the {LEAST_ROWS} rows that one needs"
        for name, count in rows.items()
        if count < LEAST_ROWS
    }


def _of_rarer(traits: MetricTraits) -> bool:
    return traits.of_classes and not traits.share_of_rows


def intervals(
    metrics: Sequence[keras.metrics.Metric],
    loss: keras.losses.Loss,
    target: Target,
    answers: npt.NDArray[np.float32],
    seed: int,
    penalty: float = 0.0,
) -> Intervals:
    """Computes 95 % intervals of metrics and loss for predictions (rows, units), for this split and seed alone.

    They are Wilson's for an accuracy, of the effective number of rows if these have weights, else percentiles of a
    bootstrap over rows (Efron & Tibshirani 1993), drawn by `seed`, which need two rows and resamples that differ. Those
    of an area under the ROC curve of two classes hold as many rows of each class as there are. `penalty` is what the
    weights add to the loss. `without_interval` tells which metrics are left out.
    """
    rows = len(answers)
    truth = target.column
    one_a_row = target.kind.one_class or target.units == 1
    counted = [metric for metric in metrics if one_a_row and traits_of(type(metric)).share_of_rows]
    found: Intervals = {}
    for metric, value in zip(counted, score(counted, target, answers).values(), strict=True):
        found[metric.name] = _wilson(value, target)
    if rows < 2:
        return found
    unsure = without_interval(metrics, target)
    others = [metric for metric in metrics if metric not in counted and metric.name not in unsure]
    exact = [metric for metric in others if exact_area.is_exact(metric, target)]
    others = [metric for metric in others if metric not in exact]
    losses = np.asarray(loss.call(tf.constant(truth), tf.constant(answers)), np.float64).reshape(rows, -1).mean(axis=1)
    resampled = _resampler(others, losses, target, answers)
    generator, count = np.random.default_rng(seed), resamples(rows)
    at_once = max(1, RESAMPLED_AT_ONCE // truth.size)
    portions = [min(at_once, count - first) for first in range(0, count, at_once)]
    samples = np.concatenate([resampled(generator.integers(0, rows, size=(portion, rows))) for portion in portions])
    samples[:, 0] += penalty
    drawn = np.hstack([samples, _resampled_areas(exact, target, answers, portions, seed)])
    tail = 50 * (1 - CONFIDENCE)
    for name, values in zip(["loss", *(metric.name for metric in [*others, *exact])], drawn.T, strict=True):
        values = values[~np.isnan(values)]
        if len(values):
            low, high = np.percentile(values, [tail, 100 - tail])
            if low < high:  # equal resamples, such as those of an area of 1 or 0, tell nothing about certainty
                found[name] = (float(low), float(high))
    return found


def _wilson(share: float, target: Target) -> tuple[float, float]:
    """Returns the interval of a share of rows by Wilson (1927)."""
    if target.weights is None:
        count = len(target.values)
        found = binomtest(round(share * count), count).proportion_ci(CONFIDENCE, method="wilson")
        return float(found.low), float(found.high)
    rows, z = target.effective_rows, norm.ppf(0.5 + CONFIDENCE / 2)
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return float(middle - half), float(middle + half)


def _resampled_areas(
    metrics: Sequence[Any],
    target: Target,
    answers: npt.NDArray[np.float32],
    portions: Sequence[int],
    seed: int,
) -> npt.NDArray[np.float64]:
    """Returns exact areas of resampled rows, shape (draws, metrics); of two classes, each class is drawn by itself."""
    if not metrics:
        return np.empty((sum(portions), 0))
    rows = len(answers)
    of_class = [np.flatnonzero(target.values == value) for value in (0, 1)]
    strata = [each for each in of_class if len(each)] if target.kind.two_classes else [np.arange(rows)]
    # A generator for each, so that portions of any size hold the same draws.
    drawn = [(stratum, np.random.default_rng([seed, place])) for place, stratum in enumerate(strata)]
    found = []
    for portion in portions:
        draws = np.hstack([own[generator.integers(0, len(own), (portion, len(own)))] for own, generator in drawn])
        cells = (draws + rows * np.arange(portion)[:, None]).ravel()
        weights: exact_area.Weights = np.bincount(cells, minlength=portion * rows).reshape(portion, rows)
        weights = weights if target.weights is None else weights * target.weights
        found.append(np.column_stack([exact_area.areas(metric, target, answers, weights) for metric in metrics]))
    return np.concatenate(found)


def _resampler(
    metrics: Sequence[Any], losses: npt.NDArray[np.float64], target: Target, answers: npt.NDArray[np.float32]
) -> Callable[[npt.NDArray[np.int64]], npt.NDArray[np.float64]]:
    """Returns a function from resampled rows (draws, rows) to mean losses and metrics, shape (draws, 1 + metrics).

    A metric is NaN if it is not defined.
    """
    truth, graph = target.column, _draws_of(metrics, weighted=target.weights is not None)
    given = (truth, answers) if target.weights is None else (truth, answers, target.weights.astype(np.float32))

    def resampled(draws: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if target.weights is None:
            means: npt.NDArray[np.float64] = losses[draws].mean(axis=1)[:, None]
        else:
            means = np.average(losses[draws], axis=1, weights=target.weights[draws])[:, None]
        if not metrics:
            return means
        with _lock:
            found = np.asarray(graph(*map(tf.constant, (draws, *given))), np.float64)
        if target.kind.zero_or_one:
            drawn_truth = truth[draws].reshape(len(draws), -1)
            found[drawn_truth.min(axis=1) == drawn_truth.max(axis=1)] = np.nan
        return np.hstack([means, found])

    return resampled


def _draws_of(metrics: Sequence[Any], *, weighted: bool) -> Callable[..., Any]:
    """Returns a graph of the metrics of each draw, since 1,000 eager updates take a second; later runs share it."""
    known = all(type(metric).__module__.startswith(("keras.", "dltrain.")) for metric in metrics)
    key = repr([weighted, *((type(metric), metric.get_config()) for metric in metrics)])
    if known and key in _graphs:
        return _graphs[key]

    def of_draws(draws: Any, *given: Any) -> Any:  # of truth, answers and, if there are any, weights
        def one_draw(rows: Any) -> Any:
            for metric in metrics:
                metric.reset_state()
                metric.update_state(*(tf.gather(each, rows) for each in given))
            return tf.stack([tf.cast(metric.result(), tf.float32) for metric in metrics])

        # Sequential, because metrics accumulate in variables.
        return tf.map_fn(one_draw, draws, fn_output_signature=tf.float32, parallel_iterations=1)

    graph: Callable[..., Any] = tf.function(of_draws, autograph=False, reduce_retracing=True)
    if known:
        _graphs[key] = graph
        if len(_graphs) > MOST_KEPT:
            del _graphs[next(iter(_graphs))]
    return graph
