from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from dltrain.config.search_dimension import LENGTH, Dimension, applies, text_of

UNITS = Dimension("model.units", low=8, high=64, integer=True, length=(1, 3))
RATE = Dimension("optimizer.learning_rate", low=1e-4, high=1e-1, log=True)
CHOICE = Dimension("model.activation", choices=("relu", None, True, [8, 8]))


@given(st.integers(8, 64), st.integers(1, 3))
def test_a_list_is_read_back_from_its_word(number: int, length: int) -> None:
    drawn = {UNITS.key: number, UNITS.key + LENGTH: length}
    assert UNITS.text(drawn) == f"[{','.join([str(number)] * length)}]"
    assert UNITS.parse(UNITS.text(drawn)) == drawn


@given(st.floats(1e-4, 1e-1))
def test_a_number_is_read_back_to_six_digits(number: float) -> None:
    assert RATE.parse(RATE.text({RATE.key: number}))[RATE.key] == pytest.approx(number, rel=1e-5)


@pytest.mark.parametrize(("dimension", "word"), [(UNITS, "[4]"), (RATE, "0.5"), (RATE, "fast"), (CHOICE, "tanh")])
def test_a_word_from_elsewhere_is_refused(dimension: Dimension, word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        dimension.parse(word)


def test_points_go_evenly_from_low_to_high() -> None:
    assert RATE.points(4) == ["0.0001", "0.001", "0.01", "0.1"]
    assert Dimension("a", low=1, high=3, integer=True).points(9) == ["1", "2", "3"]
    assert CHOICE.points(2) == ["relu", "null", "true", "[8,8]"]
    assert UNITS.points(2) == ["[8]", "[8,8]", "[8,8,8]", "[64]", "[64,64]", "[64,64,64]"]


def test_what_is_drawn_has_the_names_that_are_read() -> None:
    assert list(UNITS.distributions()) == ["model.units", "model.units.length"]
    found: Any = CHOICE.distributions()[CHOICE.key]
    assert list(found.choices) == [text_of(choice) for choice in CHOICE.choices]


@pytest.mark.parametrize(
    ("when", "drawn", "holds"),
    [
        (None, {}, True),
        ({"optimizer": ("sgd",)}, {}, True),  # the option of a group
        ({"optimizer": ("sgd",)}, {"optimizer": "adam"}, False),  # what is drawn comes before it
        ({"trainer.shuffle": ("true",)}, {}, True),
        ({"trainer.shuffle": ("true",), "optimizer": ("adam",)}, {}, False),  # all conditions count
    ],
)
def test_conditions_look_at_what_is_drawn_else_at_the_config(when: Any, drawn: dict[str, str], holds: bool) -> None:
    config = OmegaConf.create(
        {"hydra": {"runtime": {"choices": {"optimizer": "sgd"}}}, "trainer": {"shuffle": True}, "optimizer": {"a": 1}}
    )
    assert applies(Dimension("a", when=when), drawn, config) is holds
