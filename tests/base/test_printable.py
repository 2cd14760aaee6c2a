from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.base.printable import printable, printable_json, printable_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("日本 é 🚢", "日本 é 🚢"),
        ("a\nb", "a\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("over\rwritten\b", "over\\rwritten\\x08"),
        ("\x9b2J", "\\x9b2J"),
        ("turned\u202eback", "turned\\u202eback"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_control_characters_become_visible(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_a_line_stays_one() -> None:
    assert printable_line("a\nb\r\x1b") == "a\\nb\\r\\x1b"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    found = printable(text)
    assert not [each for each in found if each != "\n" and unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp")]
    found.encode()


@given(st.text())
def test_json_keeps_its_value(text: str) -> None:
    shown = printable_json(json.dumps([text], ensure_ascii=False))
    assert json.loads(shown) == [text]
    assert shown == printable(shown)
