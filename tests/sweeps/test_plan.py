from __future__ import annotations

import pytest

from dltrain.base.errors import ConfigError
from dltrain.sweeps.plan import planned

QUICK = ("dataset=synthetic", "trainer.epochs=1")


def test_every_combination_is_a_job_with_its_own_faults() -> None:
    jobs = planned([*QUICK, "seed=0,1", "trainer.batch_size=8,-1"], sweep=True, config_directory=None)
    assert [(job.overrides[-2:], bool(job.faults)) for job in jobs] == [
        (["seed=0", "trainer.batch_size=8"], False),
        (["seed=0", "trainer.batch_size=-1"], True),
        (["seed=1", "trainer.batch_size=8"], False),
        (["seed=1", "trainer.batch_size=-1"], True),
    ]


def test_a_search_counts_the_jobs_that_it_draws_later() -> None:
    (job,) = planned([*QUICK, "search=random", "search.jobs=12"], sweep=False, config_directory=None)
    assert (job.count, job.faults) == (12, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search=random", "seed=0,1"], "cannot join a search"),
        (["search=random,grid"], "search"),
        (["seed=[1"], "seed"),
    ],
)
def test_words_that_make_no_plan_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        planned([*QUICK, *words], sweep=True, config_directory=None)


def test_several_values_need_the_flag_of_a_sweep() -> None:
    with pytest.raises(ConfigError, match="seed"):
        planned([*QUICK, "seed=0,1"], sweep=False, config_directory=None)
