from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.api.words import words_of
from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("optimizer", "adam", "optimizer=adam"),
        ("trainer__epochs", 3, "trainer.epochs=3"),
        ("trainer__epochs", np.int64(3), "trainer.epochs=3"),
        ("optimizer__learning_rate", 1e-05, "optimizer.learning_rate=1e-05"),
        ("quiet", True, "quiet=true"),
        ("rows", None, "rows=null"),
        ("model__units", [8, 4], "model.units=[8,4]"),
        ("dataset__path", Path("a b.csv"), "dataset.path='a b.csv'"),
        ("dataset__path", "null", "dataset.path='null'"),
        ("dataset__path", "it's,x", r"dataset.path='it\'s,x'"),
        ("trainer", {"epochs": 2}, "++trainer={epochs:2}"),
    ],
)
def test_a_setting_becomes_the_word_that_one_would_type(name: str, value: Any, word: str) -> None:
    assert words_of(["seed=1"], {name: value}) == ["seed=1", word]


def test_a_text_is_read_back_as_it_was() -> None:
    composer = Composer()
    for text in ("a b.csv", "3", "true", "it's, [so]=$x{y}", "C:\\data\\x.csv", "~/data.csv"):
        config = composer.compose([*words_of(["dataset=csv", "dataset.target=y"], {"dataset__path": text})])
        assert OmegaConf.to_container(config, resolve=False)["dataset"]["path"] == text


def test_a_list_in_a_sweep_holds_the_values_that_are_tried() -> None:
    settings = {"optimizer": ["adam", "sgd"], "model__units": [[8], [4, 4]]}
    assert words_of([], settings, sweep=True) == ["optimizer=adam,sgd", "model.units=[8],[4,4]"]


def test_flags_and_values_without_a_form_in_yaml_are_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        words_of(["-m", "--config-dir=x", 3], {})
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "'-m'",
        "'--config-dir=x' is a flag of the command, expected an override; config_dir=… is --config-dir.",
        "Expected overrides such as 'optimizer=adam', got int.",
    ]
    with pytest.raises(ConfigError, match=r"seed: expected a number.*got set"):
        words_of([], {"seed": {1}})
