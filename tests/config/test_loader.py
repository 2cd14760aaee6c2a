from __future__ import annotations

from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from dltrain.config.compose import conf_directory
from dltrain.config.loader import Loader
from dltrain.internals.hydra_loading import HydraLoader, search_path


def load(loader: ConfigLoaderImpl, words: list[str]) -> DictConfig:
    return loader.load_configuration("config", words, RunMode.RUN, from_shell=False)


WORDS = [
    ["optimizer=sgd", "trainer.epochs=50", "~callbacks.early_stopping", "hydra.sweep.subdir=3"],
    ["optimizer=sgd", "trainer.epochs=60", "+new.key=3", "hydra.job.env_copy=[HOME]"],
    ["callbacks=[default,reduce_on_plateau]", "callbacks.reduce_on_plateau.patience=5", "hydra.job.name=mine"],
    ["optimizer={_target_: mine}", "hydra/launcher=basic", "experiment=smoke"],
]


def test_jobs_are_composed_as_hydra_composes_them() -> None:
    setup_globals()
    path = search_path(str(conf_directory()))
    hydra, ours = ConfigLoaderImpl(path), Loader(path)
    for words in [*WORDS, *WORDS[:1]]:  # the last one on choices that are known
        expected, found = load(hydra, words), load(ours, words)
        assert OmegaConf.to_yaml(found) == OmegaConf.to_yaml(expected)
        assert OmegaConf.is_struct(found)


def test_job_does_not_change_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = Loader(search_path(str(conf_directory())))
    first = load(loader, ["trainer.epochs=7"])
    first.trainer.batch_size = 1
    second = load(loader, [])
    assert (first.trainer.epochs, second.trainer.epochs, second.trainer.batch_size) == (7, 300, 32)
    with monkeypatch.context() as patch:  # a known choice costs no reading
        patch.setattr(HydraLoader, "merge", None)
        assert load(loader, ["trainer.epochs=8"]).trainer.epochs == 8


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("size: 1\n")
    loader = Loader(search_path(str(tmp_path)))
    assert load(loader, []).size == 1
    (tmp_path / "config.yaml").write_text("size: 20\n")
    assert load(loader, []).size == 20


def test_sweep_leaves_its_values_to_itself() -> None:
    loader = Loader(search_path(str(conf_directory())))
    words = ["seed=7", "optimizer.learning_rate=0.5", "~callbacks.early_stopping"]
    assert loader.load_configuration("config", words, RunMode.MULTIRUN, from_shell=False).seed == 7
    for mode in (RunMode.MULTIRUN, RunMode.RUN):
        config = loader.load_configuration("config", [], mode, from_shell=False)
        assert (config.seed, config.optimizer.learning_rate) == (42, 0.001)
        assert "early_stopping" in config.callbacks
