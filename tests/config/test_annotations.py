from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Literal, Optional

import pytest

from dltrain.config.annotations import COMPUTED, annotated, last_name, literal
from dltrain.config.sources import Module


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.fixture
def module(tmp_path: Path) -> Module:
    file = tmp_path / "rates.py"
    file.write_text("Rate = float | None\nMode: TypeAlias = Literal['min', 'max']\nLoop = Loop\n")
    return Module("rates", file)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("int", int),
        ("None", type(None)),
        ("'float'", float),
        ("int | None", Optional[int]),  # noqa: UP045
        ("typing.Optional[str]", Optional[str]),  # noqa: UP045
        ("Union[int, None]", Optional[int]),  # noqa: UP045
        ("Literal['a', 1]", Literal["a", 1]),
        ("Literal[NAME]", Any),
        ("Sequence[int]", list[int]),
        ("tuple[int, ...]", list),
        ("Mapping[str, int]", dict),
        ("Rate", Optional[float]),  # noqa: UP045
        ("Mode", Literal["min", "max"]),
        ("Unheard", Any),
        ("np.ndarray", Any),
        ("'not python('", Any),
    ],
)
def test_an_annotation_is_a_plain_type_or_anything(module: Module, text: str, hint: Any) -> None:
    assert annotated(module, expression(text)) == hint


def test_an_alias_of_itself_ends(module: Module) -> None:
    assert annotated(module, expression("Loop")) is Any


@pytest.mark.parametrize(("text", "value"), [("-1.5", -1.5), ("[1, None]", [1, None]), ("f(1)", COMPUTED)])
def test_only_literals_have_a_value(text: str, value: Any) -> None:
    assert literal(expression(text)) == value


@pytest.mark.parametrize(("text", "name"), [("a.b.C", "C"), ("a.C(x)", "C"), ("C[x]", "C"), ("1 + 1", "")])
def test_the_last_name_of_an_expression(text: str, name: str) -> None:
    assert last_name(expression(text)) == name
