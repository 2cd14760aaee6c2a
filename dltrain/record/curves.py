"""Draws the learning curves of several runs, as text for the terminal or as a picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file
from dltrain.base.plain_table import digits

Curve = Sequence[tuple[float, float]]
FORMATS = (".svg", ".png", ".pdf")


def curve_of(history: Sequence[Mapping[str, float]], metric: str) -> Curve:
    """Returns the finite (epoch, value) pairs of one metric."""
    rows = [(row["epoch"], row[metric]) for row in history if "epoch" in row and metric in row]
    return [(epoch, value) for epoch, value in rows if math.isfinite(value)]


def drawn_in_text(curves: Mapping[str, Curve], width: int, height: int = 12) -> list[str]:
    """Returns the lines of a plot that draws each curve with its letter, and `*` where several meet.

    `width` counts all columns, with the axis; `height` counts the lines without the axis.
    """
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return []
    low, high = min(value for _, value in points), max(value for _, value in points)
    first, last = min(epoch for epoch, _ in points), max(epoch for epoch, _ in points)
    labels = [digits(high, 4), digits(low, 4)]
    margin = max(map(len, labels))
    columns = max(10, width - margin - 2)
    grid = [[" "] * columns for _ in range(height)]
    for letter, curve in curves.items():
        for column, value in _columns(curve, columns, first, last):
            line = round((high - value) / (high - low or 1) * (height - 1))
            grid[line][column] = letter if grid[line][column] in (" ", letter) else "*"
    axis = [labels[0], *[""] * (height - 2), labels[1]]
    lines = [f"{text:>{margin}} |{''.join(row).rstrip()}" for text, row in zip(axis, grid, strict=True)]
    end = f"epoch {last:.0f}"
    return [*lines, f"{'':>{margin}} +{'-' * columns}", f"{'':>{margin}}  {first:<{columns - len(end)}.0f}{end}"]


def _columns(curve: Curve, columns: int, first: float, last: float) -> list[tuple[int, float]]:
    """Returns a value for every column between the first and the last epoch of a curve, interpolated linearly."""
    places = [(round((epoch - first) / (last - first or 1) * (columns - 1)), value) for epoch, value in curve]
    found = dict(places)
    for (left, begin), (right, end) in itertools.pairwise(places):
        for column in range(left + 1, right):
            found[column] = begin + (end - begin) * (column - left) / (right - left)
    return sorted(found.items())


def check_plot(path: Path) -> None:
    """Refuses a file whose suffix is not one of `FORMATS`."""
    if path.suffix.lower() not in FORMATS:
        raise ConfigError(f"--plot: '{path}' should end with {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")


def write_plot(path: Path, histories: Mapping[str, Sequence[Mapping[str, float]]], metrics: Sequence[str]) -> None:
    """Writes a picture with one panel for each metric, train dashed and validation solid.

    `histories` holds the rows of history.csv by name of the run; the suffix of `path` decides the format.
    """
    from matplotlib.figure import Figure  # takes half a second

    figure = Figure(figsize=(6.4, 3.2 * len(metrics)), layout="constrained")
    for panel, metric in zip(figure.subplots(len(metrics), 1, squeeze=False)[:, 0], metrics, strict=True):
        for number, (name, history) in enumerate(histories.items()):
            for key, style in ((metric, "--"), (f"val_{metric}", "-")):
                curve = curve_of(history, key)
                label = name if style == "-" else None
                panel.plot([x for x, _ in curve], [y for _, y in curve], style, color=f"C{number}", label=label)
        panel.set(xlabel="epoch", ylabel=metric, title=f"{metric}: validation (full) and train (dashed)")
        # Matplotlib leaves names that begin with an underscore out of a legend unless they are passed here.
        panel.legend([line for line in panel.lines if line.get_linestyle() == "-"], list(histories))
    try:
        with replace_file(path) as temporary:
            figure.savefig(temporary, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise ConfigError(f"--plot: '{path}' cannot be written: {error.strerror}.") from error
