from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import MISSING, OmegaConf

from dltrain.config import conformity


@dataclass
class Part:
    name: str = MISSING
    size: int = field(default=MISSING, metadata={"minimum": 1, "below": 10})
    rate: float | None = field(default=None, metadata={"above": 0})
    mode: str = field(default="slow", metadata={"choices": ("slow", "fast")})
    shares: list[float] = field(default_factory=list, metadata={"minimum": 0, "maximum": 1})


@dataclass
class Whole:
    part: Part = MISSING
    batch: Any = field(default=8, metadata={"choices": ("auto",), "minimum": 1})
    thing: Any = None
    things: dict[str, Any] = field(default_factory=dict)


def faults(**keys: Any) -> list[str]:
    return conformity.faults(OmegaConf.create({"part": {"name": "x", "size": 1}, **keys}), Whole)


def part(**keys: Any) -> list[str]:
    return faults(part={"name": "x", "size": 1, **keys})


@pytest.mark.parametrize(
    "keys", [{"rate": None}, {"rate": 1}, {"rate": 0.5}, {"mode": "fast"}, {"shares": []}, {"shares": [0, 1, 0.5]}]
)
def test_what_fits_passes(keys: dict[str, Any]):
    assert part(**keys) == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"size": "many"}, "part.size: expected an integer, got the text 'many'."),
        ({"size": 2.5}, "got 2.5"),
        ({"size": True}, "got true"),
        ({"size": None}, "got null"),
        ({"size": 10}, "part.size: expected an integer of at least 1 and below 10, got 10."),
        ({"rate": 0}, "part.rate: expected a number above 0 or null, got 0"),
        ({"name": 3}, "part.name: expected text, got 3"),
        ({"mode": "fst"}, "part.mode: expected one of slow, fast, got the text 'fst'. Did you mean 'fast'?"),
        ({"shares": [0.5, 2]}, "part.shares[1]: expected a number of at least 0 and of at most 1, got 2"),
        ({"shares": 0.5}, "part.shares: expected"),
        ({"shares": ["a"]}, "part.shares: expected a list (each item: a number)"),
        ({"sizee": 3}, "part.sizee: there is no such key. Did you mean 'size'?"),
        ({"size": "???"}, "part.size: expected a value, got none."),
    ],
)
def test_each_fault_is_told_once(keys: dict[str, Any], words: str):
    (fault,) = part(**keys)
    assert words in fault


def test_all_faults_come_at_once():
    found = conformity.faults(OmegaConf.create({"prt": 1, "part": {"size": "a", "mode": 3}}), Whole)
    assert [fault.partition(":")[0] for fault in found] == ["prt", "part.name", "part.size", "part.mode"]


@pytest.mark.parametrize("value", ["auto", 1, 64])
def test_choice_or_number_fits(value: object):
    assert faults(batch=value) == []


@pytest.mark.parametrize("value", ["atuo", 0, 2.5, True, None, {"a": 1}])
def test_neither_choice_nor_number_is_refused(value: object):
    (fault,) = faults(batch=value)
    assert fault.startswith("batch: expected auto or an integer of at least 1, got")


def test_a_mapping_where_a_value_belongs_and_the_reverse():
    assert faults(part=3) == ["part: expected a mapping, got 3."]
    assert "part.name: expected text" in part(name={"a": 1})[0]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"_target_": "keras.optimizers.Adm"}, "thing._target_: 'keras.optimizers' has no 'Adm'. Did you mean 'Adam'?"),
        (
            {"_target_": "keras.optimizers.Adam", "beta1": 1},
            "thing.beta1: keras.optimizers.Adam has no argument 'beta1'",
        ),
        (
            {"_target_": "keras.optimizers.Adam", "learning_rate": "fast"},
            "thing.learning_rate: expected a number, got",
        ),
        ({"_target_": "keras.optimizers.Adam", "learning_rate": True}, "thing.learning_rate: expected a number, got"),
        ({"_target_": "keras.optimizers.Adam", "use_ema": "yes"}, "thing.use_ema: expected true or false, got"),
        ({"_target_": "keras.optimizers.Adam", "_partial_": "yes"}, "thing._partial_: expected true or false, got"),
        ({"_target_": "keras.layers.Dense"}, "thing.units: keras.layers.Dense needs this argument"),
        ({"_target_": None}, "thing._target_: expected text, got null"),
        (
            {"_target_": "keras.optimizers.Adam", "learning_rate": {"_target_": "keras.optimizers.schedules.X"}},
            "thing.learning_rate._target_: 'keras.optimizers.schedules' has no 'X'",
        ),
    ],
)
def test_targets_are_held_to_their_signatures(node: dict[str, Any], words: str):
    for found in (faults(thing=node), faults(things={"thing": node})):
        (fault,) = found
        assert words in fault


@pytest.mark.parametrize(
    "node",
    [
        None,
        {"_target_": "keras.optimizers.Adam", "learning_rate": 1, "clipnorm": None},
        {"_target_": "keras.layers.Dense", "_partial_": True},
        {"_target_": "keras.layers.Dense", "_args_": [3]},
        {"_target_": "numpy.array", "anything": 3},
        {"any": {"key": [1, "a"]}},
        {
            "_target_": "keras.optimizers.Adam",
            "learning_rate": {"_target_": "keras.optimizers.schedules.ExponentialDecay", "_partial_": True},
        },
    ],
)
def test_targets_that_fit_pass(node: object):
    assert faults(thing=node) == []


def test_interpolations_resolve_or_are_told():
    assert part(rate="${part.size}") == []
    (fault,) = part(rate="${part.siz}")
    assert fault == "part.rate: ${part.siz} cannot be resolved: it refers to the key 'part.siz', which does not exist."
    (fault,) = part(name="${part.size}")
    assert "expected text, got 1" in fault


def test_what_the_data_decides_may_be_absent():
    assert faults(part={"name": "auto"}, thing={"size": "${part.size}"}) == []
