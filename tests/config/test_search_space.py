from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer
from dltrain.config.search_dimension import Dimension, applies, text_of
from dltrain.config.search_space import dimensions, grid


@pytest.fixture(scope="module")
def composed() -> Callable[..., DictConfig]:
    composer = Composer()
    return lambda *words: composer.compose(words)


@given(
    st.floats(1e-6, 1e3),
    st.floats(1.0, 1e3),
    st.booleans(),
    st.booleans(),
    st.integers(1, 4),
)
def test_what_is_typed_is_read_back(low: float, factor: float, log: bool, integer: bool, length: int) -> None:
    ends = (float(max(1, round(low))), float(max(1, round(low)) * round(factor))) if integer else (low, low * factor)
    dimension = Dimension("a.b", low=ends[0], high=ends[1], log=log, integer=integer, length=(1, 4))
    for text in dimension.points(3):
        drawn = Dimension("a.b", low=ends[0] * 0.99, high=ends[1] * 1.01, integer=integer, length=(1, 4)).parse(text)
        assert dimension.text(drawn) == text
        assert drawn["a.b"] == pytest.approx(drawn["a.b"])
    assert dimension.text({"a.b": 7, "a.b.length": length}).count("7") == length


@given(st.lists(st.sampled_from([None, True, False, 3, 0.5, "relu", (64, 32)]), min_size=1, unique=True))
def test_choices_are_read_back(choices: list[object]) -> None:
    dimension = Dimension("a", tuple(choices))
    assert dimension.points(1) == [text_of(choice) for choice in choices]
    assert [dimension.parse(text)["a"] for text in dimension.points(1)] == dimension.points(1)
    with pytest.raises(ValueError, match="other"):
        dimension.parse("other")


def test_grid_of_a_log_scale_and_of_layers() -> None:
    rate = Dimension("optimizer.learning_rate", low=1e-4, high=1e-2, log=True)
    assert rate.points(3) == ["0.0001", "0.001", "0.01"]
    units = Dimension("model.units", low=16, high=64, log=True, integer=True, length=(1, 2))
    assert units.points(3) == ["[16]", "[16,16]", "[32]", "[32,32]", "[64]", "[64,64]"]
    assert Dimension("n", low=1, high=3, integer=True).points(9) == ["1", "2", "3"]


def test_conditions_follow_what_is_drawn_and_what_is_chosen(composed: Callable[..., DictConfig]) -> None:
    config = composed("search=random", "optimizer=adam")
    momentum = Dimension("optimizer.momentum", low=0, high=1, when={"optimizer": ("momentum", "nesterov")})
    assert not applies(momentum, {}, config)
    assert applies(momentum, {"optimizer": "momentum"}, config)
    assert applies(momentum, {}, composed("search=random", "optimizer=nesterov"))
    by_value = Dimension("a", low=0, high=1, when={"trainer.shuffle": ("true",)})
    assert applies(by_value, {}, config)
    space = [Dimension("optimizer", ("adam", "momentum")), momentum]
    assert grid(space, 2, config) == [
        {"optimizer": "adam"},
        {"optimizer": "momentum", "optimizer.momentum": "0"},
        {"optimizer": "momentum", "optimizer.momentum": "1"},
    ]


def test_ready_spaces_follow_the_order_of_importance(composed: Callable[..., DictConfig]) -> None:
    keys = [
        {each.key for each in dimensions(composed("search=random", f"search/space={name}").search.space)}
        for name in ("learning_rate", "important", "wide", "complete")
    ]
    assert keys[0] == {"optimizer.learning_rate"}
    assert keys[1] - keys[0] == {"optimizer.momentum", "model.units", "trainer.batch_size"}
    assert keys[2] - keys[1] == {"optimizer.weight_decay", "model.dropout"}
    assert keys[3] - keys[2] == {"optimizer.beta_1", "optimizer.beta_2", "optimizer.epsilon"}


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({}, "nothing to search"),
        ({"a": {"low": 1}}, "search.space.a: expected low and high as numbers"),
        ({"a": {"low": 2, "high": 1}}, "expected low <= high"),
        ({"a": {"low": 0, "high": 1, "log": True}}, "low above 0 with log=true"),
        ({"a": {"low": 0.5, "high": 2, "integer": True}}, "whole numbers with integer=true"),
        ({"a": {"b": {"lwo": 1, "high": 2}}}, "Did you mean 'low'?"),
        ({"a": {"choices": []}}, "expected choices as a list"),
        ({"a": {"choices": [1], "low": 0}}, "neither low nor high"),
        ({"a": {"low": 1, "high": 2, "length": 0}}, "search.space.a.length"),
        ({"a": {"low": 1, "high": 2, "when": "adam"}}, "search.space.a.when"),
    ],
)
def test_faulty_spaces_are_refused(node: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        dimensions(OmegaConf.create(node))
    assert message in str(caught.value)
