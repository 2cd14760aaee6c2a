from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from dltrain.sweeps.samplers import CoarseToFineSampler, GaussianProcessSampler

RATE = FloatDistribution(1e-4, 1.0, log=True)
UNITS = IntDistribution(4, 64)
SHARE = FloatDistribution(0.0, 1.0)
SPACE = {"rate": RATE, "units": UNITS, "share": SHARE, "kind": CategoricalDistribution(["a", "b", "c"])}


def search(sampler: Any, jobs: int, value: Any, direction: str = "minimize") -> list[dict[str, Any]]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=sampler, direction=direction)
    drawn = []
    for _ in range(jobs):
        trial = study.ask(SPACE)
        drawn.append(trial.params)
        study.tell(trial, value(trial.params))
    return drawn


@pytest.mark.parametrize("name", ["coarse", "process"])
def test_draws_stay_in_the_space_and_follow_from_the_seed(name: str) -> None:
    def drawn(seed: int) -> list[dict[str, Any]]:
        sampler = CoarseToFineSampler(12, 3, 0.5, seed) if name == "coarse" else GaussianProcessSampler(6, 40, seed)
        return search(sampler, 12 if name == "coarse" else 9, lambda params: params["share"])

    first = drawn(1)
    for params in first:
        assert 1e-4 <= params["rate"] <= 1
        assert 0 <= params["share"] <= 1
        assert params["units"] in range(4, 65)
        assert params["kind"] in "abc"
    assert drawn(1) == first != drawn(2)


@pytest.mark.parametrize(("direction", "best"), [("minimize", min), ("maximize", max)])
def test_each_round_draws_around_the_best_of_the_rounds_before(direction: str, best: Any) -> None:
    shares = [each["share"] for each in search(CoarseToFineSampler(20, 2, 0.1, 0), 20, lambda p: p["share"], direction)]
    middle = best(shares[:10])
    assert max(shares[:10]) - min(shares[:10]) > 0.5
    assert max(shares[10:]) - min(shares[10:]) <= 0.1
    assert all(abs(share - middle) <= 0.1 for share in shares[10:])


def test_diverged_jobs_do_not_hide_the_minimum_from_a_gaussian_process() -> None:
    def value(params: dict[str, Any]) -> float:
        return 1e9 if params["share"] > 0.9 else float((params["share"] - 0.3) ** 2)

    drawn = search(GaussianProcessSampler(8, 100, 0), 16, value)
    guided = [abs(each["share"] - 0.3) for each in drawn[8:]]
    assert sorted(guided)[len(guided) // 2] < 0.15
