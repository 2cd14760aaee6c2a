from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from dltrain.sweeps import workers
from dltrain.sweeps.workers import workers_for

CONFIG = OmegaConf.create({"strategy": None, "model": {"_target_": "dltrain.models.mlp.mlp"}})


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Tells of a machine: `machine(count=4, gigabytes=100, loaded=False)`."""

    def set_to(count: int = 4, gigabytes: float = 100, *, loaded: bool = False) -> None:
        monkeypatch.setattr(workers.preloading, "cores", lambda: count)
        monkeypatch.setattr(workers.preloading, "free_gigabytes", lambda: gigabytes)
        monkeypatch.setattr(workers.tensorflow_quietly, "is_loaded", lambda: loaded)

    set_to()
    return set_to


def test_there_is_one_a_core_as_far_as_jobs_and_memory_last(machine: Any) -> None:
    assert workers_for(None, 12, 12, CONFIG) == 4
    assert workers_for(None, 3, 3, CONFIG) == 3
    assert workers_for(None, 40, 2, CONFIG) == 2
    machine(gigabytes=3.1)
    assert workers_for(None, 12, 12, CONFIG) == 2
    machine(gigabytes=0.5)
    assert workers_for(None, 12, 12, CONFIG) == 1


def test_a_chosen_number_counts_up_to_the_jobs() -> None:
    assert workers_for(1, 12, 12, CONFIG) == 1
    assert workers_for(16, 12, 12, CONFIG) == 12


def test_jobs_run_in_this_process_where_others_could_not_or_would_gain_nothing(machine: Any) -> None:
    own = OmegaConf.create({"strategy": None, "callbacks": {"mine": {"_target_": "__main__.Mine"}}})
    assert workers_for(None, 12, 12, own) == 1
    machine(loaded=True)
    assert workers_for(None, 3, 3, CONFIG) == 1
    assert workers_for(None, 30, 30, CONFIG) == 4
