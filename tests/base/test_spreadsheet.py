from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dltrain.base.spreadsheet import neutral


@pytest.mark.parametrize("text", ["=1+1", "+a", "-a", "@sum", "\t=1", "＝1", "'=1", "-1-1"])
def test_formula_gets_an_apostrophe(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "1", "-1", "+1.5e-3", "-.5"])
def test_numbers_and_plain_words_stay(text: str) -> None:
    assert neutral(text) == text


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    assert neutral(text).removeprefix("'") == text
