"""A key that does not exist leads to the words that were meant, ready to be pasted."""

from __future__ import annotations

import shlex

import pytest

from dltrain.config.compose import Composer


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


MEANT = {
    "dropout=0.5": ["model.dropout=0.5"],
    "dropot=0.5": ["model.dropout=0.5"],
    "units=5": ["model.units=[5]"],
    "units=[5,4]": ["model.units=[5,4]"],
    "target=survived": ["dataset.target=survived"],
    "lr=0.1": ["optimizer.learning_rate=0.1"],
    "learning-rate=0.1": ["optimizer.learning_rate=0.1"],
    "optimizer.lr=0.1": ["optimizer.learning_rate=0.1"],
    "epochs=3": ["trainer.epochs=3"],
    "epoch=3": ["trainer.epochs=3"],
    "model.epochs=3": ["trainer.epochs=3"],
    "batch_size=64": ["trainer.batch_size=64"],
    "path=x.csv": ["dataset=csv", "dataset.path=x.csv"],
    'path="a (1).csv"': ["dataset=csv", 'dataset.path="a (1).csv"'],
    "data=x.csv": ["dataset=csv", "dataset.path=x.csv", "dataset.target=COLUMN"],
    "patience=4": ["callbacks.early_stopping.patience=4"],
    "tensorboard=false": ["~callbacks.tensorboard"],
    "trainr.epochs=3": ["trainer.epochs=3"],
    "optimiser=sgd": ["optimizer=sgd"],
    "beta_1=0.8": ["optimizer.beta_1=0.8"],
    "schedule.factor=2": ["schedule=exponential", "schedule.factor=2"],
    "filters=[8]": ["model=cnn", "model.filters=[8]"],
}


@pytest.mark.parametrize(("typed", "meant"), MEANT.items())
def test_what_was_meant_is_ready_to_paste(composer: Composer, typed: str, meant: list[str]) -> None:
    (fault,) = composer.check([typed])[1]
    assert shlex.split(fault.partition("Did you mean ")[2].removesuffix("?")) == meant


@pytest.mark.parametrize("meant", [words for words in MEANT.values() if not {"dataset=csv", "model=cnn"} & set(words)])
def test_what_is_shown_composes(composer: Composer, meant: list[str]) -> None:
    assert not [fault for fault in composer.check(meant)[1] if "no such" in fault or "no argument" in fault]


def test_several_keys_of_a_name_are_shown(composer: Composer) -> None:
    (fault,) = composer.check(["momentum=0.8"])[1]
    assert "normalization.momentum=0.8 or optimizer=momentum optimizer.momentum=0.8" in fault


def test_options_that_were_chosen_come_first(composer: Composer) -> None:
    (fault,) = composer.check(["dataset=csv", "path=x.csv", "dataset.target=y"])[1]
    assert fault == "path: there is no such key. Did you mean dataset.path=x.csv?"


@pytest.mark.parametrize("typed", ["gpu=1", "name=mine", "xyz=1"])
def test_where_nothing_is_near_all_keys_are_a_command_away(composer: Composer, typed: str) -> None:
    (fault,) = composer.check([typed])[1]
    assert fault.endswith("there is no such key. `dltrain --cfg job` prints every key.")


FALSE_SECOND = [
    (["dataset=csv", "dataset.path=~/x.csv", "dataset.target=y"], ["dataset.path"]),
    (["dataset=csv", "dataset.path=[x.csv", "dataset.target=y"], ["dataset.path"]),
    (["dataset=csv", "dataset.path=a,b.csv", "dataset.target=y"], ["dataset.path"]),
    (["dataset=cvs", "dataset.path=x.csv", "dataset.target=y"], ["dataset"]),
    (["dataset=csv", "dataset.path=x.csv", "target=y"], ["target"]),
    (["model=resnet", "model.units=[3]", "augmentation=mirroring"], ["model"]),
    (["schedule=nope", "schedule.rate=3"], ["schedule"]),
    (["dataset=x.csv"], ["dataset"]),
    (["trainer.epochs=3)"], ["trainer.epochs"]),
]


@pytest.mark.parametrize(("typed", "keys"), FALSE_SECOND)
def test_one_fault_makes_no_second_one(composer: Composer, typed: list[str], keys: list[str]) -> None:
    assert [fault.partition(":")[0] for fault in composer.check(typed)[1]] == keys
