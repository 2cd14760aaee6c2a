from __future__ import annotations

import csv
import json

import pytest

from dltrain.base.console import PrintableConsole
from dltrain.base.show import CsvOutput, show, show_json


def test_everything_shown_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    show("a\x1b", 1, sep="\n")
    csv.writer(CsvOutput()).writerow(["b\x9b", "c\r"])
    assert capsys.readouterr().out == 'a\\x1b\n1\nb\\x9b,"c\\r"\r\n'
    show_json({"d\x1b": "\x9b"})
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert json.loads(shown) == {"d\x1b": "\x9b"}


def test_a_console_has_its_own_colours_alone(capsys: pytest.CaptureFixture[str]) -> None:
    console = PrintableConsole(force_terminal=True, color_system="standard")
    console.print("\x1b[2J", style="red", markup=False, highlight=False)
    assert capsys.readouterr().out == "\x1b[31m\\x1b[2J\x1b[0m\n"
