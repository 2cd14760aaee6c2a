from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from dltrain.report.svg import (
    ACCENT,
    LEGEND_ROW,
    LONGEST_NAME,
    MARKS,
    NAMES,
    TITLE,
    Picture,
    draw,
    figure_of,
    legend_below,
    scale_values,
    short,
)


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


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.2, 0.3, 0.25], "linear"),
        ([0.2, 0.3, 0.25, 40.0], "log"),
        ([0.2, 30.0, 25.0, 40.0], "log"),  # the best is far off
        ([0.9, 0.8, -40.0], "symlog"),
        ([0.0, 0.0, 0.0], "linear"),
        ([], "linear"),
        ([math.nan, math.inf], "linear"),
    ],
)
def test_an_axis_is_logarithmic_where_one_value_is_far_off(values: list[float], scale: str) -> None:
    axes = Figure().add_subplot()
    axes.plot(values)
    scale_values(axes, values)
    assert axes.get_yscale() == scale


def test_labels_below_the_axes_and_a_legend_have_room() -> None:
    def plot(axes: Any) -> None:
        for name in "abcdef":
            axes.plot([0, 1], [0, 1], label=name)
        axes.set_xticks([0, 1], ["a name of a class", "another name"], rotation=90)
        legend_below(axes)

    picture = draw("p", "P", "It rises.", plot, below=3 * LEGEND_ROW)
    figure = figure_of([picture])
    (axes,) = figure.axes
    bottom = figure.bbox.height * 3 * LEGEND_ROW / (picture.height + TITLE)
    assert axes.get_tightbbox().y0 >= bottom - 1
    assert axes.get_legend().get_window_extent().y1 <= bottom + 1


def test_of_a_long_name_both_ends_are_shown() -> None:
    assert short("Mean_Acc1298_Mean_Mem40_MFCC_0") == "Mean_Acc1…0_MFCC_0"
    assert len(short("x" * 40)) == 18
    assert short("a\nb") == "a·b"
