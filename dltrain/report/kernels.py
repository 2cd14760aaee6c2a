"""Draws the first kernel of each job of a sweep: every weight as a square, and how its weights are distributed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from dltrain.report.svg import ACCENT, INK, MUTED, SECOND, SERIES, Picture, draw_panels, explained_legend, prepare

Matrix = npt.NDArray[np.float64]
SHOWN = 16  # units, and inputs, that are drawn
NEAR_ZERO = 0.001  # a weight below this is counted as zero
BINS = 41
MOST_PANELS = 6


def kernels(found: Mapping[str, Sequence[Sequence[float]]]) -> Iterator[Picture]:
    """Yields the pictures of kernels by name, lists of rows as in `layers.json`; none unless all have one size."""
    named = {name: np.array(rows) for name, rows in found.items()}
    if len({kernel.shape for kernel in named.values()}) == 1 and next(iter(named.values())).ndim == 2:
        yield _squares(named)
        yield _histograms(named)


def _squares(named: Mapping[str, Matrix]) -> Picture:
    """Draws kernels (inputs, units) as squares by name: the side is the root of the size, the colour the sign."""
    shown = {name: kernel[:SHOWN, :SHOWN] for name, kernel in named.items()}
    columns = 2 if len(shown) in (2, 4) else min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    inputs, units = next(iter(shown.values())).shape
    width = 0.88 / columns
    inside = 4.3 * (width - 0.03) * inputs / units
    height = rows * (inside + 0.35) + 0.65

    def plot(figure: Figure) -> None:
        for place, (name, kernel) in enumerate(shown.items()):
            row, column = divmod(place, columns)
            bottom = height - (row + 1) * (inside + 0.35)
            axes = prepare(figure.add_axes((0.1 + width * column, bottom / height, width - 0.03, inside / height)))
            sides = 0.48 * np.sqrt(np.abs(kernel) / max(np.abs(kernel).max(), 1e-12))
            for sign, colour in ((1, ACCENT), (-1, SECOND)):
                chosen = [(r, c) for r, c in np.argwhere(sign * kernel > 0) if abs(kernel[r, c]) >= NEAR_ZERO]
                corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
                axes.add_collection(PolyCollection([(c, r) + sides[r, c] * corners for r, c in chosen], color=colour))
            axes.set(xlim=(-0.6, units - 0.4), ylim=(inputs - 0.4, -0.6), xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set_visible(True)
            axes.set_title(name, fontsize=8, color=INK, pad=3)
            if column == 0:
                axes.set_ylabel("inputs", size=8, labelpad=2)
            if row == rows - 1:
                axes.set_xlabel("units", size=8, labelpad=2)
        for label, colour in (("above zero", ACCENT), ("below zero", SECOND)):
            axes.plot([], [], "s", color=colour, label=label)
        explained_legend(figure, axes, "a square is a weight: the larger, the farther from zero", 2)

    said = "; ".join(f"{name}: {_alike(kernel)}" for name, kernel in named.items())
    message = (
        "The weights of the first layer, a column for each unit, a row for each input; the larger the square, the "
        f"larger the weight. {said}."
    )
    return draw_panels("kernels", "Weights of the first layer", message, plot, height=height)


def _alike(kernel: Matrix) -> str:
    largest = float(np.abs(kernel).max())
    different = len(np.unique(np.round(kernel / max(largest, 1e-12), 3), axis=1).T)
    return f"{different} different units of {kernel.shape[1]}, the largest weight {largest:.2g}"


def _histograms(named: Mapping[str, Matrix]) -> Picture:
    """Draws how the weights of each kernel are distributed, and how many of them are zero, on one axis."""
    widest = max(float(np.quantile(np.abs(kernel), 0.995)) for kernel in named.values()) or 1.0
    edges = np.linspace(-widest, widest, BINS + 1)
    inside = 0.62
    height = inside * len(named) + 0.65

    def plot(figure: Figure) -> None:
        for place, (name, kernel) in enumerate(named.items()):
            bottom = height - inside * (place + 1)
            axes = prepare(figure.add_axes((0.04, bottom / height, 0.93, 0.92 * inside / height)))
            counts, _ = np.histogram(kernel.clip(-widest, widest), edges)
            axes.bar(edges[:-1], counts / counts.max(), np.diff(edges), align="edge", color=SERIES[place])
            axes.text(0, 0.9, name, transform=axes.transAxes, va="top", size=9, color=INK)
            zero = float(np.mean(np.abs(kernel) < NEAR_ZERO))
            told = f"{zero:.0%} are zero\nsize {np.sqrt(np.mean(kernel**2)):.2g}"
            axes.text(1, 0.9, told, transform=axes.transAxes, va="top", ha="right", size=8, color=MUTED)
            axes.set(xlim=(-1.02 * widest, 1.02 * widest), ylim=(0, 1.05), yticks=[])
            axes.spines["left"].set_visible(False)
            if place + 1 < len(named):
                axes.set_xticklabels([])
        axes.set_xlabel("weight of the first layer")

    said = "; ".join(
        f"{name}: {np.mean(np.abs(kernel) < NEAR_ZERO):.0%} are zero, size {np.sqrt(np.mean(kernel**2)):.2g}"
        for name, kernel in named.items()
    )
    message = (
        "How the weights of the first layer are distributed, and their root mean square as size; below "
        f"{NEAR_ZERO:g} they count as zero. {said}."
    )
    return draw_panels("weights", "Weights of the first layer", message, plot, height=height)
