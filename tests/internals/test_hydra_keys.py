from __future__ import annotations

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from dltrain.config.written import entry
from dltrain.internals import hydra_keys

NAMES = (
    "zip", "Price (EUR), gross", "a b", " a ", "a:b", "a=b", "x[1]", "50%", "a/b", "O'Brien", 'q"t', "Größe", "a\\b",
    "a.b", "$x", "#1", "007", "2020", "true", "null", "1e3", "日本", "a;b&c", "<x>", "!", "~x", "{x}",
)  # fmt: skip


def parsed(line: str) -> object:
    return OverridesParser.create().parse_override(line).value()


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_a_column_can_be_pasted_as_it_is_shown(name: str) -> None:
    (word,) = shlex.split(entry("dataset.kinds", name, "ignore"))
    assert parsed(word) == {name: "ignore"}
    assert parsed(f"+{word}") == {name: "ignore"}


def test_entries_are_typed_and_sweeps_stay_as_they_are() -> None:
    assert parsed('task.class_weight={"Größe": 1.5, b: 2}') == {"Größe": 1.5, "b": 2}
    override = OverridesParser.create().parse_override("dataset.kinds={Größe:category,a b: text}")
    again = f"dataset.kinds={override.get_value_element_as_str()}"
    assert parsed(again) == {"Größe": "category", "a b": "text"}


@pytest.mark.parametrize(
    "line", ["seed={Größe: 1}", "dataset.kinds={Größe}", "dataset.kinds={Größe: }", "dataset.kinds={Größe: a b c}"]
)
def test_other_lines_are_refused_as_before(line: str) -> None:
    with pytest.raises(HydraException):
        OverridesParser.create().parse_override(line)


def test_hydras_own_grammar_has_no_such_keys() -> None:
    """Once it has, this module can go."""
    with pytest.raises(HydraException):
        hydra_keys.parse_as_hydra_does(OverridesParser.create(), "dataset.kinds={Größe: ignore}", "override")
