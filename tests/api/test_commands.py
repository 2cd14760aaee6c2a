from __future__ import annotations

import signal
from pathlib import Path

import pytest

from dltrain.api.commands import TERMINATED, composer_of, flags_of, terminating, train
from dltrain.base.errors import ConfigError


def test_flags_and_overrides_may_stand_in_any_order() -> None:
    flags = flags_of(["seed=1", "-m", "--config-dir", "my conf", "optimizer=sgd", "-cn", "other"])
    assert flags.overrides == ["seed=1", "optimizer=sgd"]
    assert (flags.multirun, flags.config_dir, flags.config_name) == (True, "my conf", "other")


def test_a_further_folder_adds_options(tmp_path: Path) -> None:
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_text("_target_: keras.optimizers.SGD\nlearning_rate: 0.125\n")
    composer = composer_of(flags_of([f"--config-dir={tmp_path}"]))
    assert composer.compose(["dataset=synthetic", "optimizer=mine"]).optimizer.learning_rate == 0.125


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["keep=all", "hydra.sweep.dir=here"], "keep has no effect on a single run"),
        (["-m", "--run", "seed=0,1"], "--run has no effect on a sweep"),
        (["-m", "seed=0,1", "hydra.run.dir=here"], "hydra.run.dir has no effect on a sweep"),
        (["search=random", "hydra.run.dir=here"], "hydra.run.dir has no effect on a sweep"),
    ],
)
def test_words_without_effect_are_refused_before_a_directory_is_made(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        train(["dataset=synthetic", *words])
    assert not list(tmp_path.iterdir())


def test_sigterm_ends_with_its_own_code_and_the_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, terminating():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == TERMINATED
    assert signal.getsignal(signal.SIGTERM) is before
