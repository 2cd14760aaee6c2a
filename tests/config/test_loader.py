from __future__ import annotations

from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from dltrain.config.compose import conf_directory
from dltrain.config.loader import Loader
from dltrain.internals.hydra_loading import HydraLoader, search_path


def load(loader: ConfigLoaderImpl, words: list[str], mode: RunMode = RunMode.RUN) -> DictConfig:
    return loader.load_configuration("config", words, mode, from_shell=False)


WORDS = [
    ["optimizer=sgd", "trainer.epochs=50", "~callbacks.early_stopping", "hydra.sweep.subdir=3"],
    ["optimizer=sgd", "trainer.epochs=60", "+new.key=3", "hydra.job.env_copy=[HOME]"],
    ["callbacks=[default,reduce_on_plateau]", "callbacks.reduce_on_plateau.patience=5", "hydra.job.name=mine"],
    ["optimizer={_target_: mine}", "hydra/launcher=basic", "experiment=smoke"],
]


SWEEPS = [
    ["optimizer=adam,sgd", "regularizer=l2", "trainer.epochs=choice(1,2)", "seed=3", "hydra.sweep.dir=here"],
    ["dataset=glob(t*)", "+new.key=3", "~callbacks.early_stopping"],
    ["experiment=optimizers", "trainer.epochs=2"],
]


def test_jobs_and_sweeps_are_composed_as_hydra_composes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup_globals()
    path = search_path(str(conf_directory()))
    hydra, ours = ConfigLoaderImpl(path), Loader(path)
    for mode, given in ((RunMode.RUN, WORDS), (RunMode.MULTIRUN, SWEEPS)):
        for words in [*given, *given[:1]]:  # the last one on choices that are known
            expected, found = load(hydra, words, mode), load(ours, words, mode)
            assert OmegaConf.to_yaml(found) == OmegaConf.to_yaml(expected)
            assert OmegaConf.is_struct(found)
    monkeypatch.chdir(tmp_path)
    assert load(ours, WORDS[0]).hydra.runtime.cwd == str(tmp_path)


@pytest.mark.parametrize(
    ("words", "mode"), [(["seed=1,2"], RunMode.RUN), (["hydra.job.name=one,two"], RunMode.MULTIRUN)]
)
def test_a_sweep_where_hydra_knows_none_is_refused(words: list[str], mode: RunMode) -> None:
    path = search_path(str(conf_directory()))
    for loader in (ConfigLoaderImpl(path), Loader(path)):
        with pytest.raises(HydraException, match=r"(?i)sweep"):
            load(loader, words, mode)


def test_job_does_not_change_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = Loader(search_path(str(conf_directory())))
    first = load(loader, ["trainer.epochs=7"])
    first.trainer.batch_size = 1
    second = load(loader, [])
    assert (first.trainer.epochs, second.trainer.epochs, second.trainer.batch_size) == (7, 300, 32)
    with monkeypatch.context() as patch:  # a known choice costs no reading
        patch.setattr(HydraLoader, "merge", None)
        patch.chdir("/")
        assert load(loader, ["trainer.epochs=8"]).trainer.epochs == 8


def test_changed_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("size: 1\n")
    loader, other = Loader(search_path(str(tmp_path))), Loader(search_path(str(conf_directory())))
    assert load(loader, []).size == 1
    assert load(other, []).seed == 42
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
