"""Draws learning curves, the importance of columns and gradients of a run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from dltrain.base.plain_table import digits
from dltrain.report.svg import ACCENT, GRID, INK, MUTED, SECOND, Picture, draw, plain_log, short


def learning_curves(
    history: Sequence[Mapping[str, float]],
    best_epoch: int,
    besides: Collection[str] = (),
    counted: Collection[str] = (),
    kept: Mapping[str, float | None] | None = None,
) -> list[Picture]:
    """Draws the loss, each metric, and the learning rate if it changed.

    `best_epoch` counts from 1, `besides` names columns that are no metrics, `counted` areas whose final value is exact
    and that of an epoch not. `kept` holds the scores of the train rows with the weights of that epoch, in inference;
    None stands for means over folds, whose best epochs differ.
    """
    others = {"epoch", "learning_rate", *besides}
    names = [name for name in next(iter(history), {}) if name not in others and not name.startswith("val_")]
    pictures = [_course(history, name, best_epoch, kept, counted=name in counted) for name in names]
    rates = [epoch["learning_rate"] for epoch in history if "learning_rate" in epoch]
    if rates and min(rates) < max(rates):
        pictures.append(_rates(rates, best_epoch))
    return pictures


def _course(
    history: Sequence[Mapping[str, float]],
    name: str,
    best_epoch: int,
    kept: Mapping[str, float | None] | None,
    *,
    counted: bool,
) -> Picture:
    epochs = np.arange(1, len(history) + 1)
    train = np.array([epoch.get(name, np.nan) for epoch in history])
    validation = np.array([epoch.get(f"val_{name}", np.nan) for epoch in history])
    best = validation[best_epoch - 1] if kept is not None and best_epoch <= len(validation) else np.nan
    in_inference = (kept or {}).get(name)

    def plot(axes: Axes) -> None:
        marker = "o" if len(history) < 4 else None
        axes.plot(epochs, train, color=SECOND, linestyle="--", label="train, during each epoch", marker=marker)
        if np.isfinite(validation).any():
            axes.plot(epochs, validation, color=ACCENT, label="validation, after it", marker=marker)
        axes.axvline(best_epoch, color=MUTED, linewidth=1, linestyle=":")
        axes.plot([best_epoch], [best], "o", color=ACCENT, markersize=6)
        if in_inference is not None:
            axes.plot([best_epoch], [in_inference], "D", color=SECOND, markersize=6, label="train, kept weights")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("epoch")
        axes.legend(loc="best")

    span = "in one epoch" if len(history) == 1 else f"over {len(history)} epochs"
    said = [f"Train from {digits(train[0])} to {digits(train[-1])}"]
    if np.isfinite(validation).any():
        said.append(f"validation from {digits(validation[0])} to {digits(validation[-1])}")
    message = f"{', '.join(said)} {span}."
    at = [f"validation is {digits(best)}"] if np.isfinite(best) else []
    at += [f"train {digits(in_inference)} in inference"] if in_inference is not None else []
    if at:
        message += f" With the weights of epoch {best_epoch}, which are kept, {' and '.join(at)}."
    if counted:
        message += " Within epochs the area is counted over thresholds; the final one is exact."
    return draw("curve_" + re.sub(r"\W", "_", name, flags=re.ASCII), name, message, plot)


def _rates(rates: list[float], best_epoch: int) -> Picture:
    def plot(axes: Axes) -> None:
        axes.step(np.arange(1, len(rates) + 1), rates, color=ACCENT, where="mid")
        axes.axvline(best_epoch, color=MUTED, linewidth=1, linestyle=":")
        axes.set_yscale("log")
        plain_log(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("epoch")

    message = f"The learning rate goes from {digits(rates[0])} to {digits(rates[-1])} over {len(rates)} epochs."
    return draw("learning_rate", "learning rate", message, plot, left=0.16)


def importance(columns: Sequence[Mapping[str, Any]]) -> Picture:
    """Draws by how much the loss rises without each column, with its standard deviation.

    `columns` holds `column`, `mean` and `sd`, the most important first.
    """

    def plot(axes: Axes) -> None:
        places = np.arange(len(columns))
        means, deviations = ([column[name] for column in columns] for name in ("mean", "sd"))
        axes.barh(places, means, xerr=deviations, height=0.62, color=ACCENT, ecolor=INK, error_kw={"linewidth": 1})
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.set_yticks(places, [short(column["column"]) for column in columns])
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.set_xlabel("the loss rises by")

    first = columns[0]
    message = f"{first['column']} matters most: shuffled, it raises the validation loss by {digits(first['mean'])}."
    height = 1.0 + 0.27 * len(columns)
    return draw("importance", "Permutation importance", message, plot, height=height, left=0.32)


def gradients(layers: Sequence[Mapping[str, Any]]) -> Picture:
    """Draws the root mean square of the gradient in each layer with weights, on a log scale."""
    shown = [layer for layer in layers if layer.get("gradient_rms")]

    def plot(axes: Axes) -> None:
        places = np.arange(len(shown))
        axes.plot([layer["gradient_rms"] for layer in shown], places, "o", color=ACCENT)
        axes.set_xscale("log")
        plain_log(axes.xaxis)
        axes.set_yticks(places, [short(layer["name"]) for layer in shown])
        axes.set(ylim=(len(shown) - 0.5, -0.5), xlabel="root mean square of the gradient")
        axes.grid(True, color=GRID)

    values = [layer["gradient_rms"] for layer in shown]
    message = f"Between {min(values):.2g} and {max(values):.2g} over {len(shown)} layers, from the input downwards."
    return draw("gradients", "Gradient by layer", message, plot, height=0.9 + 0.25 * len(shown), left=0.38)
