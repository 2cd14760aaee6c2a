from __future__ import annotations

import optuna
import pytest

from dltrain.sweeps.importance import importance

from .conftest import entry


def test_importance_finds_the_key_that_matters() -> None:
    jobs = [
        entry(place, f"optimizer.learning_rate={rate}", f"model.activation={kind}", value=rate * 10 + 0.01 * odd)
        for place, (rate, odd, kind) in enumerate(
            (rate, odd, kind) for rate in (0.1, 0.2, 0.3, 0.4) for odd, kind in enumerate(("relu", "selu", "tanh"))
        )
    ]
    shares = importance(jobs, "min")
    assert next(iter(shares)) == "optimizer.learning_rate"
    assert shares["optimizer.learning_rate"] > 0.9
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert importance(jobs[:9], "min") == {}


def test_of_very_many_jobs_some_are_judged_from_the_best_to_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    values = []

    def trial(**given: object) -> object:
        values.append(given["value"])
        return create_trial(**given)

    create_trial = optuna.trial.create_trial
    monkeypatch.setattr(optuna.trial, "create_trial", trial)
    monkeypatch.setattr("dltrain.sweeps.importance.MOST_JOBS", 11)
    rates = [f"optimizer.learning_rate={place}" for place in range(21)]
    jobs = [entry(place, rates[place], f"batch={place % 3}", value=float(place)) for place in range(21)]
    assert next(iter(importance(jobs, "min"))) == "optimizer.learning_rate"
    assert values == list(range(0, 21, 2))
