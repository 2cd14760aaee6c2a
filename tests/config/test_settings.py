from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from dltrain.config.settings import choices_of, differing, flat, settings_of

KEYS = st.text("abc", min_size=1, max_size=3)
VALUES = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
NESTED = st.recursive(
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(NESTED)
def test_flat_keeps_every_leaf_where_it_stood(nested: dict) -> None:
    for key, value in flat(nested).items():
        node = nested
        for name in key.split("."):
            node = node[name]
        assert node == value


@given(NESTED, st.integers(1, 4))
def test_equal_runs_differ_in_nothing(nested: dict, count: int) -> None:
    assert differing([({"model": "mlp"}, flat(nested))] * count) == []


def test_a_setting_that_repeats_another_is_left_out() -> None:
    config = OmegaConf.create(
        {"seed": 1, "task": {"monitor": "val_loss"}, "stop": {"monitor": "${task.monitor}"}, "all": "${task}"}
    )
    assert settings_of(config) == {"seed": 1, "task.monitor": "val_loss"}


def test_hydras_own_groups_are_no_choices() -> None:
    assert choices_of({"model": "mlp", "experiment": None, "hydra/launcher": "basic", "shrink@model": "x"}) == {
        "model": "mlp",
        "experiment": None,
    }


def test_keys_that_follow_from_a_choice_do_not_differ() -> None:
    adam = ({"optimizer": "adam"}, {"optimizer.beta_1": 0.9, "optimizer.learning_rate": 0.1, "seed": 1, "quiet": True})
    sgd = ({"optimizer": "sgd"}, {"optimizer.momentum": 0.9, "optimizer.learning_rate": 0.2, "seed": 1, "quiet": False})
    faster = ({"optimizer": "sgd"}, sgd[1] | {"optimizer.learning_rate": 0.3})
    assert differing([adam, sgd]) == ["optimizer"]
    assert differing([adam, sgd, faster]) == ["optimizer", "optimizer.learning_rate"]
    assert differing([adam, (adam[0], adam[1] | {"seed": 2})]) == ["seed"]


def test_lists_and_missing_keys_differ() -> None:
    assert differing([({}, {"units": [2]}), ({}, {"units": [2, 2]})]) == ["units"]
    assert differing([({}, {"units": [2]}), ({}, {})]) == ["units"]
