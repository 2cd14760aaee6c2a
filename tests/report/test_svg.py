from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from matplotlib.figure import Figure

from dltrain.report.svg import ACCENT, LONGEST_NAME, MARKS, NAMES, Picture, draw, short


def line(name: str, title: str = "A < B") -> Picture:
    def plot(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=ACCENT)
        axes.set_xlabel("epoch & more")

    return draw(name, title, '1 < 2 and "so on"', plot)


def test_a_file_is_whole_xml_with_fixed_colours_and_a_description() -> None:
    text = line("curve").file()
    root = ElementTree.fromstring(text)
    texts = {each.tag.rpartition("}")[2]: each.text for each in root}
    assert (texts["title"], texts["desc"]) == ("A < B", '1 < 2 and "so on"')
    assert not [mark for mark in MARKS if mark in text]
    assert "var(" not in text


def test_in_a_page_colours_are_those_of_the_page_and_ids_those_of_the_picture() -> None:
    first, second = line("curve").inline(), line("other").inline()
    ids = [set(re.findall(r'\bid="([^"]*)"', page)) for page in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r"url\(#([^)]*)\)", first)) <= ids[0]
    assert f"var(--c{NAMES.index(ACCENT) + 1})" in first
    assert not re.search(r'<svg[^>]* (width|height)="', first)


def test_the_same_picture_is_drawn_to_the_same_bytes() -> None:
    assert line("curve") == line("curve")


def test_a_label_is_short_and_printable() -> None:
    assert short("a\tb\x1bc") == "a·b·c"
    assert len(short("x" * 50)) == LONGEST_NAME
    assert short(3) == "3"


def test_long_marks_leave_room_for_the_label_of_the_axis() -> None:
    def plot(axes: Any) -> None:
        axes.plot([0, 1], [10_000_000, 90_000_000])
        axes.ticklabel_format(style="plain")
        axes.set_ylabel("rmse, validation")

    figure = Figure(figsize=(4.3, 3.1))
    draw("curve", "curve", "", plot).paint(figure)
    (axes,) = figure.axes
    assert axes.get_tightbbox().x0 >= 0
    assert axes.get_position().x1 == 0.97
