from __future__ import annotations

import math
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from dltrain.base.plain_table import cell, digits, number, say, seconds, setting, signed, table


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (True, "true"), (3, "3"), (0.5, "0.5000"), (0.00012346, "0.0001235"), (12345.678, "12,345.7"),
        (math.nan, "undefined"), ([1, 0.5, None], "[1,0.5000,]"),
    ],
)  # fmt: skip
def test_values_for_people(value: Any, text: str) -> None:
    assert cell(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (math.nan, "undefined"), (0.0, "0.0000"), (0.12345, "0.1235"), (-2.0, "-2.0000"),
        (0.00001234, "1.234e-05"), (1234.56, "1,234.6"), (123456789.0, "123,456,789.0"), (-2e10, "-2e+10"),
        (math.inf, "inf"),
    ],
)  # fmt: skip
def test_metrics_for_people(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "count", "text"),
    [
        (0.04581, 3, "+0.0458"), (-0.00316, 3, "-0.00316"), (2621.97, 3, "+2,622"), (999.7, 3, "+1,000"),
        (999.2, 3, "+999"), (1472.4, 4, "+1,472"), (1e-8, 3, "+1e-08"), (2e12, 3, "+2e+12"), (0.0, 3, "+0"),
    ],
)  # fmt: skip
def test_digits_of_a_sentence_are_no_powers_of_ten(value: float, count: int, text: str) -> None:
    assert digits(value, count, "+") == text
    assert digits(value, count) == text.removeprefix("+")


def test_differences_have_a_sign() -> None:
    assert [signed(value) for value in (0.25, -0.25, 0.0, 2311.8366)] == ["+0.2500", "-0.2500", "+0.0000", "+2,311.8"]


def test_no_cell_breaks_the_line() -> None:
    assert not {"\n", "\x1b"} & set(cell("a\nb\x1b[31m"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "null"), (0.00012345, "0.00012345"), (1e-8, "1e-08"), ([0.5, None, "a"], "[0.5,null,a]"), (False, "false")],
)
def test_settings_as_they_would_be_typed(value: Any, text: str) -> None:
    assert setting(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (1.25, "1.2 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3599.6, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_durations(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() -> None:
    assert table(["name", "n"], [["a", "10"], ["longer", ""]], right=["n"]) == ["name     n", "a       10", "longer"]
    assert table(["name"], []) == ["name"]


def test_sentence_is_wrapped_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    say("one two three four five six")
    monkeypatch.setenv("COLUMNS", "10")
    say("one two three four five six")
    assert capsys.readouterr().out.splitlines() == ["one two three four five six", "one two three four", "five six"]
    say("one    two three four five", indent=7)
    assert capsys.readouterr().out.splitlines() == ["one    two three", "       four five"]


HEADER = ["metric", "train", "95 % interval", "logistic regression (test)"]
ROWS = [["loss", "0.5", "0.4024 to 0.6001", ""], ["macro averaged auc", "0.25", "0.7299 to 0.8927", "0.7481"]]


def test_names_of_columns_break_before_cells_do() -> None:
    assert table(HEADER, ROWS, HEADER[1:], 56) == [
        "                                               logistic",
        "                                             regression",
        "metric              train     95 % interval      (test)",
        "loss                  0.5  0.4024 to 0.6001",
        "macro averaged auc   0.25  0.7299 to 0.8927      0.7481",
    ]


def test_what_is_still_too_wide_stands_below_after_the_first_column_again() -> None:
    lines = table(HEADER, ROWS, HEADER[1:], 40)
    assert lines == [
        "metric    train     95 % interval",
        "loss        0.5  0.4024 to 0.6001",
        "macro",
        "averaged",
        "auc        0.25  0.7299 to 0.8927",
        "",
        "            logistic",
        "          regression",
        "metric        (test)",
        "loss",
        "macro",
        "averaged",
        "auc           0.7481",
    ]


@hypothesis.given(
    st.lists(st.lists(st.text("ab ", max_size=12), min_size=4, max_size=4), min_size=1, max_size=4),
    st.integers(min_value=30, max_value=60),
)
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_lost(rows: list[list[str]], width: int) -> None:
    lines = table(HEADER, rows, HEADER[2:], width)
    assert max(map(len, lines)) <= width
    kept = "".join(lines)
    assert all(cell.strip() in kept for row in rows for cell in row[1:])
