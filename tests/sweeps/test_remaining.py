from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig, open_dict

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer
from dltrain.config.fingerprint import fingerprint
from dltrain.config.hydra_node import resolving
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.remaining import NUMBERED, Job, remaining

from .conftest import entry

WORDS = [["seed=0"], ["seed=1"], ["seed=2"]]


class Loader:
    """Stands in for Hydra's loader."""

    def load_sweep_config(self, config: DictConfig, words: list[str]) -> DictConfig:
        del config
        return sweep_config(*words)


def sweep_config(*words: str) -> DictConfig:
    config = Composer().compose(["dataset=synthetic", *words])
    with open_dict(config):
        config.hydra.sweep.subdir = NUMBERED
    return config


def key_of(*words: str) -> str:
    config = sweep_config(*words)
    with resolving(config):
        return fingerprint(config)


def left(ledger: Ledger) -> list[Job]:
    return remaining(WORDS, sweep_config(), ledger, Loader())  # type: ignore[arg-type]


def test_a_new_sweep_runs_every_job_in_a_numbered_directory(tmp_path: Path) -> None:
    assert [job.words for job in left(Ledger(tmp_path))] == [
        [*words, f"hydra.sweep.subdir={place}"] for place, words in enumerate(WORDS)
    ]


def test_finished_jobs_do_not_run_again_nor_lose_their_directory(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(entry(2, "seed=1", key=key_of("seed=1")))
    assert left(ledger) == [Job(["seed=0"], "0"), Job(["seed=2"], "3")]


def test_words_that_mean_other_settings_now_are_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(entry(0, "seed=0", key="of settings before a YAML file changed"))
    with pytest.raises(ConfigError, match=r"job 0 .* had the same words and other settings"):
        left(ledger)
