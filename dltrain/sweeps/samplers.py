"""Defines samplers that Optuna lacks, or has only with PyTorch: coarse to fine, and a Gaussian process."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from scipy.stats import norm
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]


class CoarseToFineSampler(BaseSampler):
    """Random search that zooms in: after each round the box around the best job so far shrinks.

    The `jobs` of the whole search are divided into `rounds`, of which the first draws from the whole space; each
    further box is `shrink` times as wide as the one before.
    """

    def __init__(self, jobs: int, rounds: int, shrink: float, seed: int) -> None:
        self.jobs, self.rounds, self.shrink = jobs, rounds, shrink
        self._generator = np.random.default_rng(seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Returns no keys, since each is drawn independently."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draws nothing, since each key is drawn independently."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draws a number in the box of this round; a category is that of the best job, or any with the box's share."""
        turn = min(self.rounds - 1, trial.number * self.rounds // self.jobs)
        best = self._best(study, before=math.ceil(turn * self.jobs / self.rounds))
        width = self.shrink**turn if best is not None and param_name in best.params else 1.0
        if isinstance(param_distribution, CategoricalDistribution):
            if width < 1 and best is not None and self._generator.random() > width:
                return best.params[param_name]
            return param_distribution.choices[self._generator.integers(len(param_distribution.choices))]
        middle = _to_unit(param_distribution, best.params[param_name]) if width < 1 and best is not None else 0.5
        low = min(max(0.0, middle - width / 2), 1 - width)
        return _from_unit(param_distribution, low + width * float(self._generator.random()))

    def _best(self, study: Study, before: int) -> FrozenTrial | None:
        done = [
            trial for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if trial.number < before
        ]
        sign = -1 if study.directions[0] == StudyDirection.MAXIMIZE else 1
        return min(done, key=lambda trial: sign * trial.values[0], default=None)


class GaussianProcessSampler(BaseSampler):
    """Bayesian optimisation: expected improvement (Jones et al. 1998) under a Gaussian process with a Matérn kernel.

    Optuna's own needs PyTorch; this one uses scikit-learn. Several objectives are weighted at random for each job
    (ParEGO, Knowles 2006). Running jobs count with their expected value. The first `startup_jobs` are drawn at random;
    later the best of `candidates` points is taken.
    """

    def __init__(self, startup_jobs: int, candidates: int, seed: int) -> None:
        self.startup_jobs, self.candidates, self.seed = startup_jobs, candidates, seed
        self._random = RandomSampler(seed)
        self._generator = np.random.default_rng(seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Returns the keys that every finished job has; keys under a condition are drawn at random."""
        space = intersection_search_space(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        return {name: each for name, each in space.items() if not each.single()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Draws a random value."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Returns the candidate with the greatest expected improvement."""
        done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(done) < self.startup_jobs or not search_space:
            return {}
        seen = np.array([_encode(search_space, each.params) for each in done])
        values = self._scalar(np.array([each.values for each in done]), study.directions)
        process = _fit(seen, values, self.seed)
        for each in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if search_space.keys() <= each.params.keys():
                point = _encode(search_space, each.params)[None]
                seen, values = np.vstack([seen, point]), np.append(values, process.predict(point))
                process = _fit(seen, values, self.seed, process.kernel_)
        best = done[int(np.argmin(values[: len(done)]))].params
        candidates = [self._anywhere(search_space) for _ in range(self.candidates)]
        candidates += [self._near(search_space, best) for _ in range(self.candidates // 4)]
        points = np.array([_encode(search_space, each) for each in candidates])
        mean, deviation = process.predict(points, return_std=True)
        deviation, gain = np.maximum(deviation, 1e-12), float(values.min()) - mean
        improvement = gain * norm.cdf(gain / deviation) + deviation * norm.pdf(gain / deviation)
        return candidates[int(np.argmax(improvement))]

    def _scalar(self, values: Floats, directions: Sequence[StudyDirection]) -> Floats:
        """Returns one value to minimize for each job, with the far outliers of diverged jobs cut off."""
        signs = [-1.0 if way == StudyDirection.MAXIMIZE else 1.0 for way in directions]
        losses = values * signs
        if losses.shape[1] > 1:
            low, high = losses.min(axis=0), losses.max(axis=0)
            weights = self._generator.dirichlet(np.ones(losses.shape[1]))
            weighed = weights * (losses - low) / np.where(high > low, high - low, 1)
            losses = weighed.max(axis=1, keepdims=True) + 0.05 * weighed.sum(axis=1, keepdims=True)
        first, third = np.quantile(losses[:, 0], [0.25, 0.75])
        bounded: Floats = np.minimum(losses[:, 0], third + 1.5 * (third - first))
        return bounded

    def _anywhere(self, space: dict[str, BaseDistribution]) -> dict[str, Any]:
        return {
            name: each.choices[self._generator.integers(len(each.choices))]
            if isinstance(each, CategoricalDistribution)
            else _from_unit(each, float(self._generator.random()))
            for name, each in space.items()
        }

    def _near(self, space: dict[str, BaseDistribution], best: dict[str, Any]) -> dict[str, Any]:
        moved = dict(self._anywhere(space))
        for name, each in space.items():
            if isinstance(each, CategoricalDistribution):
                moved[name] = best[name] if self._generator.random() < 0.8 else moved[name]
            else:
                unit = _to_unit(each, best[name]) + 0.1 * float(self._generator.standard_normal())
                moved[name] = _from_unit(each, min(1.0, max(0.0, unit)))
        return moved


def _fit(points: Floats, values: Floats, seed: int, fitted: Any = None) -> Any:
    """Fits a process to points; a fitted kernel is kept, since expected values tell nothing about it."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    if fitted is not None:
        return GaussianProcessRegressor(fitted, optimizer=None, normalize_y=True).fit(points, values)
    kernel = Matern(np.full(points.shape[1], 0.5), (0.05, 20.0), nu=2.5) + WhiteKernel(0.1, (1e-4, 1.0))
    process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, random_state=seed)
    # Hundreds of products of some ten rows: threads would wait for each other longer than they compute.
    with threadpool_limits(1, "blas"), warnings.catch_warnings():
        # A length scale at its bound is no fault: the key does not matter.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(points, values)
    return process


def _encode(space: dict[str, BaseDistribution], values: dict[str, Any]) -> Floats:
    """Returns a point in the unit cube; a category has one column for each choice."""
    columns: list[float] = []
    for name, each in space.items():
        if isinstance(each, CategoricalDistribution):
            columns += [float(choice == values[name]) for choice in each.choices]
        else:
            columns.append(_to_unit(each, values[name]))
    return np.array(columns)


def _to_unit(distribution: BaseDistribution, value: float) -> float:
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    low, high = distribution.low, distribution.high
    if distribution.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low) if high > low else 0.5


def _from_unit(distribution: BaseDistribution, unit: float) -> float | int:
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    low, high = float(distribution.low), float(distribution.high)
    whole = isinstance(distribution, IntDistribution)
    if whole and not distribution.log:
        return int(min(high, low + math.floor(unit * (high - low + 1))))
    value = math.exp(math.log(low) + unit * math.log(high / low)) if distribution.log else low + unit * (high - low)
    return round(min(high, max(low, value))) if whole else min(high, max(low, value))
