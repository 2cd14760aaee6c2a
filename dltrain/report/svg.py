"""Draws pictures as SVG that take the colours of the page around them, light or dark."""

from __future__ import annotations

import functools
import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import matplotlib.colors
import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from dltrain.pages.render import source

# In an SVG each colour is drawn as a mark, #0n0n0n, which is replaced by a variable of the page or by a fixed colour.
MARKS = tuple(f"#{number:02x}{number:02x}{number:02x}" for number in range(1, 12))
LIGHT = re.findall(r"--c\d+: (#\w+);", source("pages/templates/page.css").partition("@media")[0])
# Elsewhere these names, which Matplotlib looks up when it draws, stand for the colours of the light page.
NAMES = INK, MUTED, GRID, ACCENT, SECOND, *OTHERS = tuple(f"dltrain:{number}" for number in range(1, 12))
SERIES = (ACCENT, SECOND, *OTHERS)


def _name_colours(colours: Sequence[str]) -> None:
    named = mpl.colors.get_named_colors_mapping()
    for name, colour in zip(NAMES, colours, strict=True):
        named[name] = colour  # one by one, since each assignment discards what Matplotlib has looked up before


_name_colours(LIGHT)
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "xtick.minor.pad": 3.5,
    "ytick.minor.pad": 3.5,
    "lines.linewidth": 1.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "path.simplify": True,
}
LONGEST_NAME = 18
LONGEST_OF_TWO, LONGEST_OF_ONE = 22, 54  # letters of a name in a legend of two columns, and of one
FAR = 8.0
WIDTH = 4.3  # inches
LEGEND_ROW = 0.17  # inches for each row of a legend below the axes
LINES = "whole line: validation, dashed: train"  # of pictures in which a colour is a setting
TITLE = 0.25  # inches above the axes of a figure that is shown by itself


@dataclass(frozen=True)
class Picture:
    """One picture."""

    name: str  # the name of its file in plots/, and the prefix of its ids in the page
    title: str  # a few words
    message: str  # what it shows, as a sentence, also for those who cannot see it
    paint: Callable[[Figure], None] = field(compare=False, repr=False)  # adds the axes to a figure
    height: float = 3.1  # inches

    @functools.cached_property
    def template(self) -> str:
        """The SVG with marks for the colours."""
        with _styled(self.name):
            _name_colours(MARKS)
            try:
                figure = Figure(figsize=(WIDTH, self.height))
                FigureCanvasSVG(figure)
                figure.patch.set_visible(False)
                self.paint(figure)
                text = io.StringIO()
                nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
                figure.savefig(text, format="svg", metadata=nothing)
            finally:
                _name_colours(LIGHT)
        return _labelled(text.getvalue(), self.name, self.title, self.message)

    def inline(self) -> Markup:
        """Returns the SVG for the page, with the page's variables as colours and the width of the column."""
        text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", self.template, count=1)
        text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
        for number, mark in enumerate(MARKS, 1):
            text = text.replace(mark, f"var(--c{number})")
        return Markup(text)

    def file(self) -> str:
        """Returns the SVG for a file, light, on a white card."""
        card = '<rect width="100%" height="100%" fill="#ffffff"/>'
        text = re.sub(r"(</desc>)", rf"\1{card}", self.template, count=1)
        for mark, colour in zip(MARKS, LIGHT, strict=True):
            text = text.replace(mark, colour)
        return f'<?xml version="1.0" encoding="utf-8"?>\n{text}'


def draw(
    name: str,
    title: str,
    message: str,
    plot: Callable[[Axes], None],
    *,
    height: float = 3.1,
    left: float = 0.13,
    below: float = 0.0,
) -> Picture:
    """Draws one picture with one panel, `height` inches high.

    `left` is the share of the width left of the axes, which becomes more where the marks of the axis need more, as does
    the space below them. `below` are inches that are added to the height for a legend at the bottom of the figure.
    """
    height += below

    def on(figure: Figure) -> None:
        bottom, top = (0.5 + below) / height, 1 - 0.15 / height
        axes = figure.add_axes((left, bottom, 0.97 - left, top - bottom))
        prepare(axes)
        plot(axes)
        taken = axes.get_tightbbox()
        if taken is None:
            return
        wider = left + max(0.0, 0.01 + (figure.bbox.x0 - taken.x0) / figure.bbox.width)
        higher = max(bottom, (below + 0.05 + (axes.bbox.y0 - taken.y0) / figure.dpi) / height)
        axes.set_position((wider, higher, 0.97 - wider, top - higher))

    return Picture(name, title, message, on, height)


def legend_below(axes: Axes) -> None:
    """Puts a legend of two columns at the bottom of the figure, where `draw` kept LEGEND_ROW for each of its rows."""
    legend = axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.figure.transSubfigure,
        borderaxespad=0,
        ncols=2,
        columnspacing=1.2,
        fontsize=7.5,
        handlelength=1.6,
    )
    legend.set_in_layout(False)  # `draw` measures what is at the axes


def legend_columns(names: Sequence[str]) -> int:
    """Returns in how many columns a legend of letters of size 8 has room for these names."""
    return 1 if max(map(len, names)) > LONGEST_OF_TWO else 2


def in_legend(name: str) -> str:
    """Returns a name as a legend of a single column has room for it."""
    return name if len(name) <= LONGEST_OF_ONE else f"{name[: LONGEST_OF_ONE - 1]}…"


def explained_legend(figure: Figure, axes: Axes, words: str, columns: int) -> None:
    """Puts the legend of axes at the bottom of the figure, below words that say what its lines are."""
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="lower left",
        bbox_to_anchor=(0.1, 0),
        ncols=columns,
        fontsize=8,
        title=words,
        title_fontsize=8,
        alignment="left",
    )


def draw_panels(name: str, title: str, message: str, plot: Callable[[Figure], None], *, height: float) -> Picture:
    """Draws one picture, `height` inches high; `plot` adds axes to the figure, each through `prepare`."""
    return Picture(name, title, message, plot, height)


class ShownFigure(Figure):
    """A figure that a notebook shows, whatever backend it has."""

    def _repr_svg_(self) -> str:
        text = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none"}):
            self.savefig(text, format="svg")
        svg = _in_system_font(text.getvalue())
        return svg.replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)


def figure_of(pictures: Sequence[Picture]) -> Figure:
    """Returns a figure of Matplotlib with one picture, or with several, two in a row."""
    with _styled(pictures[0].name):
        height = max(picture.height for picture in pictures)
        columns = min(2, len(pictures))
        rows = math.ceil(len(pictures) / columns)
        figure = ShownFigure(figsize=(WIDTH * columns, (height + TITLE) * rows))
        FigureCanvasAgg(figure)
        panels: Any = figure.subfigures(rows, columns, squeeze=False).ravel()[: len(pictures)]
        for picture, panel in zip(pictures, panels, strict=True):
            picture.paint(panel)
            for axes in panel.axes:
                left, bottom, width, high = axes.get_position().bounds
                share = height / (height + TITLE)
                axes.set_position((left, bottom * share, width, high * share))
            panel.axes[0].set_title(picture.title)
        figure.draw_without_rendering()  # ticks take their style when they are first drawn
    return figure


@contextmanager
def _styled(name: str) -> Iterator[None]:
    # Class names may hold characters that Matplotlib's font lacks, which it warns of; the browser's fonts have them.
    style: Any = {**STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def prepare(axes: Axes) -> Axes:
    """Gives axes few ticks and no background."""
    axes.patch.set_visible(False)
    axes.locator_params(nbins=5)  # drawing ticks takes most of the time
    return axes


def _labelled(svg: str, name: str, title: str, message: str) -> str:
    """Returns the `svg` element alone, with a name, a description and unique ids."""
    text = svg[svg.index("<svg") :].rstrip()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]*)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]*)"', rf'href="#{name}-\1"', text)
    text = _in_system_font(text)
    # Hundredths of a point are finer than any screen.
    text = re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text)
    label = Markup(
        'role="img" aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{message}</desc>'
    ).format(name=name, title=title, message=message)
    return re.sub(r"(<svg\b[^>]*)>", lambda found: f"{found[1]} {label}", text, count=1)


def _in_system_font(svg: str) -> str:
    return re.sub(r"'DejaVu Sans'[^;\"]*", FONT, svg)


def plain_log(axis: Axis) -> None:
    """Writes the numbers of a log axis as decimals, since formulas are not drawn."""
    decades = float(np.ptp(np.log10(axis.get_view_interval())))
    axis.set_major_formatter("{x:g}")
    if decades < 1:  # such a short axis has next to no powers of ten
        axis.set_major_locator(MaxNLocator(4))
        axis.set_minor_locator(NullLocator())
        return
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_minor_locator(LogLocator(subs=(2, 5), numticks=6))
    axis.set_minor_formatter("{x:g}" if decades < 1.5 else NullFormatter())


def write_at_end(axes: Axes, end: float, place: float, text: str, colour: str = MUTED) -> None:
    """Writes a text to the right of a bar that ends there."""
    axes.annotate(text, (end, place), xytext=(4, 0), textcoords="offset points", va="center", size=8, color=colour)


def scale_values(axes: Axes, values: npt.ArrayLike) -> None:
    """Makes the upright axis logarithmic if one of its values is so far off that the others would lie on one line."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not is_far_off(known):
        return
    if known.min() > 0:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
    else:
        axes.set_yscale("symlog", linthresh=float(np.median(np.abs(known))))
        axes.yaxis.set_major_formatter("{x:g}")


def is_far_off(values: npt.NDArray[np.float64]) -> bool:
    """Returns whether one of these finite values is FAR times the usual size, or the usual one FAR times the least."""
    if not len(values):
        return False
    sizes = np.abs(values)
    usual = float(np.median(sizes))
    least = float(values.min())
    return usual > 0 and bool(sizes.max() >= FAR * usual or 0 < FAR * least <= usual)


def short(name: object) -> str:
    """Returns a name as a label: its ends if it is too long, and with a dot for each character that is not printable.

    Names that begin alike, as those of columns and layers often do, differ at their ends.
    """
    text = "".join(character if character.isprintable() else "·" for character in str(name))
    half = LONGEST_NAME // 2
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - half]}…{text[1 - half :]}"
