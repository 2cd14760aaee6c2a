"""Draws what optional callbacks have recorded: limits, mini-batches, layers, gradient check."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dltrain.base.notes import counted
from dltrain.record.record import Record
from dltrain.report import decision_boundary
from dltrain.report.svg import ACCENT, INK, MUTED, SECOND, SERIES, Picture, draw, draw_panels, plain_log, prepare, short

BATCH_LOSSES, LAYERS, GRADIENT_CHECK = "batch_losses.csv", "layers.json", "gradient_check.json"
DROPOUT_MASKS, AUGMENTED_IMAGES = "dropout_masks.json", "augmented_images.npz"
BY_BATCHES = "val_loss_by_batches_of_"  # in history.csv, before the rows of a batch
MOST_STEPS = 400  # of mini-batches in their picture
BANDS = {1e-7: "right", 1e-5: "good", 1e-3: "doubtful", 1e3: "wrong"}  # by the largest relative error of each
STYLES = ("-", "--", "-.")
ROW_HEIGHT = 0.2  # inches for each layer
OUTSIDE = 0.3  # the share of values beyond the scale from which on a layer is marked

Spread = Sequence[Mapping[str, Any]]


def limits_of(record: Record) -> dict[str, float | None]:
    """Returns the limits of early stopping by Convergence, by their columns in history.csv; empty without any."""
    settings = record.settings
    nodes = [
        key.rpartition(".")[0]
        for key, value in settings.items()
        if key.startswith("callbacks.") and key.endswith("._target_") and str(value).endswith(".Convergence")
    ]
    recorded = set(record.history[0]) if record.history else set()
    return {
        key.rpartition(".")[2]: value
        for key, value in settings.items()
        if key.rpartition(".")[0] in nodes and key.rpartition(".")[2] in recorded
    }


def pictures_of(record: Record) -> Iterator[Picture]:
    """Yields a picture for each callback that recorded something."""
    if found := decision_boundary.recorded(record):
        yield decision_boundary.picture(found)
    limits = limits_of(record)
    if limits:
        yield _limits(record.history, limits)
    if record.history and any(name.startswith(BY_BATCHES) for name in record.history[0]):
        yield _batch_statistics(record.history)
    if (record.path / DROPOUT_MASKS).exists():
        yield _dropout_masks(record.json(DROPOUT_MASKS))
    if (record.path / AUGMENTED_IMAGES).exists():
        yield augmented_images({"": record})
    if (record.path / BATCH_LOSSES).exists():
        with (record.path / BATCH_LOSSES).open(newline="", encoding="utf-8") as lines:
            rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(lines)]
        if rows:
            yield _batch_losses(rows)
    if (record.path / LAYERS).exists():
        found = record.json(LAYERS)
        names = {"before": "before the training", "after": "with the weights that are kept"}
        yield layer_spreads({words: found[moment] for moment, words in names.items() if found.get(moment)})
    if (record.path / GRADIENT_CHECK).exists():
        yield _gradient_check(record.json(GRADIENT_CHECK))


def _limits(history: Sequence[Mapping[str, float]], limits: Mapping[str, float | None]) -> Picture:
    def plot(axes: Axes) -> None:
        epochs = np.arange(1, len(history) + 1)
        for place, (name, limit) in enumerate(limits.items()):
            values = np.array([epoch.get(name, np.nan) for epoch in history])
            axes.plot(epochs, values, color=SERIES[place], linestyle=STYLES[place % 3], label=name.replace("_", " "))
            if limit is not None:
                axes.axhline(limit, color=SERIES[place], linewidth=1, linestyle=":")
        axes.plot([], [], color=MUTED, linewidth=1, linestyle=":", label="its limit")
        axes.set_yscale("log")
        plain_log(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel("epoch")
        axes.legend(loc="best")

    last = history[-1]
    said = ", ".join(
        f"{name.replace('_', ' ')} {last[name]:.2g}" + (f" (limit {limit:g})" if limit is not None else "")
        for name, limit in limits.items()
    )
    message = f"After {counted(len(history), 'epoch')}: {said}. A dotted line is the limit of the curve of its colour."
    return draw("limits", "Gradient, change of loss, change of weights", message, plot, height=3.4, left=0.17)


def _batch_statistics(history: Sequence[Mapping[str, float]]) -> Picture:
    names = {"val_loss": "running averages"}
    columns = [name for name in history[0] if name.startswith(BY_BATCHES)]
    sizes = sorted(columns, key=lambda name: int(name.removeprefix(BY_BATCHES)))
    names |= {name: f"own batch of {name.removeprefix(BY_BATCHES)}" for name in sizes}
    courses = {words: np.array([epoch.get(name, np.nan) for epoch in history]) for name, words in names.items()}

    def plot(axes: Axes) -> None:
        for place, (words, course) in enumerate(courses.items()):
            axes.plot(np.arange(1, len(course) + 1), course, color=SERIES[place], label=words)
        axes.set_yscale("log")
        plain_log(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        highest = max(float(np.nanmax(course)) for course in courses.values())
        axes.set(xlabel="epoch", ylabel="loss, validation", ylim=(None, 3 * highest))
        axes.legend(loc="upper right", ncols=2, title="mean and variance from", title_fontsize=9)

    said = "; ".join(f"{words}: from {course[0]:.3g} to {course[-1]:.3g}" for words, course in courses.items())
    message = f"The validation loss by where batch normalization has mean and variance from. {said}."
    return draw("batch_statistics", "Running averages and each batch's own", message, plot, height=3.4, left=0.17)


def _dropout_masks(found: Mapping[str, Any]) -> Picture:
    kept = np.array(found["kept"]).T  # a row for each unit
    units, steps = kept.shape

    def plot(axes: Axes) -> None:
        for colour, row in ((SECOND, [0]), (ACCENT, list(range(1, units)))):
            places = [(step, unit) for unit in row for step in range(steps) if kept[unit, step]]
            if places:
                axes.plot(*np.array(places).T, "s", color=colour, markersize=4.2)
        axes.set_yticks(
            range(units), [f"unit {unit}" if unit == 1 else f"{unit}" for unit in range(1, units + 1)], size=7
        )
        axes.set(xlim=(-0.8, steps - 0.2), ylim=(units - 0.3, -0.7))
        axes.set_xlabel("step; a square: the unit is kept, a gap: it is dropped")
        axes.grid(False)

    message = (
        f"A square is a unit that is kept in a step, an empty place one that is dropped (rate {found['rate']:g}): "
        f"unit 1 is kept in {int(kept[0].sum())} of {steps} steps, all {units} in {kept.mean():.0%} of them."
    )
    return draw("dropout_masks", "What dropout keeps", message, plot, height=1.0 + 0.14 * units, left=0.12)


def augmented_images(named: Mapping[str, Record]) -> Picture:
    """Draws an image of each run and what its augmentation makes of it, in a row by its name; one run shows more."""
    loaded = {
        name: np.load(record.path / AUGMENTED_IMAGES, allow_pickle=False)["images"] for name, record in named.items()
    }
    rows = [(name, image) for name, images in loaded.items() for image in images[-1 if len(named) > 1 else 0 :]]
    columns = len(rows[0][1])
    size = 0.86 / columns
    side = 4.3 * size
    height = (side + 0.22) * len(rows) + 0.1

    def plot(figure: Figure) -> None:
        for row, (name, versions) in enumerate(rows):
            bottom = height - (side + 0.22) * (row + 1) + 0.02
            for place, pixels in enumerate(versions):
                left = 0.03 + size * place + (0.06 if place else 0)
                axes = figure.add_axes((left, bottom / height, 0.94 * size, 0.94 * side / height))
                axes.imshow(np.broadcast_to(pixels, (*pixels.shape[:2], 3)), interpolation="nearest")
                axes.set(xticks=[], yticks=[])
                if place < 2:
                    axes.set_title(("as it is", name or "what becomes of it")[place], loc="left", fontsize=8, pad=2)

    said = f": {', '.join(loaded)}" if len(named) > 1 else ""
    message = f"A train image at the left, and what the augmentation makes of it in the first steps{said}."
    return draw_panels("augmented_images", "What augmentation does to an image", message, plot, height=height)


def _batch_losses(rows: Sequence[Mapping[str, float]]) -> Picture:
    betas = [name.removeprefix("corrected_") for name in rows[0] if name.startswith("corrected_")]
    shown = rows[:MOST_STEPS]
    steps = [row["step"] for row in shown]
    widest = max(betas, key=float)

    def plot(axes: Axes) -> None:
        losses = [row["loss"] for row in shown]
        axes.plot(steps, losses, color=MUTED, linewidth=0.7, alpha=0.7, label="each mini-batch")
        for place, beta in enumerate(betas):
            axes.plot(steps, [row[f"corrected_{beta}"] for row in shown], color=SERIES[place], label=f"beta {beta}")
        without = [row[f"average_{widest}"] for row in shown]
        axes.plot(steps, without, color=INK, linestyle=":", linewidth=1.2, label=f"beta {widest}, not corrected")
        axes.set(ylim=(0, 1.05 * float(np.quantile(losses, 0.995))), xlabel="step", ylabel="loss")
        axes.legend(loc="best")

    noise = float(np.std(np.diff([row["loss"] for row in rows]))) if len(rows) > 1 else 0.0
    calm = float(np.std(np.diff([row[f"corrected_{widest}"] for row in rows[1:]]))) if len(rows) > 2 else 0.0
    message = (
        f"From one mini-batch to the next the loss jumps by {noise:.2g} (standard deviation), its average with beta "
        f"{widest} by {calm:.2g}. Without the bias correction the average begins near zero."
        + (f" The first {len(shown)} of {len(rows):,} steps." if len(rows) > len(shown) else "")
    )
    return draw("batch_losses", "Loss of each mini-batch and its averages", message, plot, height=3.4)


def layer_spreads(named: Mapping[str, Spread]) -> Picture:
    """Draws histograms of outputs and gradients by layer, a pair of panels for each name.

    `named` holds entries of `layers.json`, the layers from the input to the output, by a title each.
    """
    layers = max(len(each) for each in named.values())
    names = [[layer["name"] for layer in each] for each in named.values()]
    if any(each != names[0] for each in names):  # Keras continues to number layers from network to network
        names = [[*(f"layer {place}" for place in range(1, len(each))), each[-1]] for each in names]
    heights = [0.45 + ROW_HEIGHT * layers] * len(named)
    height = sum(heights) + 0.45

    def plot(figure: Figure) -> None:
        top = height - 0.05
        for place, (title, spreads) in enumerate(named.items()):
            bottom = top - heights[place] + 0.02
            inside = ROW_HEIGHT * layers + 0.1
            for column, kind in enumerate(("outputs", "gradients")):
                axes = prepare(figure.add_axes((0.2 + 0.41 * column, bottom / height, 0.37, inside / height)))
                _ridges(axes, spreads, kind, names[place] if column == 0 else [])
                if place + 1 < len(named):
                    axes.set_xticklabels([])
                else:
                    axes.set_xlabel(f"size of the {kind}")
                if column == 0:
                    fitting = title if len(title) <= 48 else f"{title[:47]}…"
                    axes.set_title(fitting, loc="left", fontsize=10, color=INK)
            top -= heights[place]

    def change(spreads: Spread, kind: str) -> str:
        sizes = [each[kind]["sd"] for each in spreads[:-1] if each[kind]["sd"]] or [0.0]
        return f"{sizes[0]:.2g} to {sizes[-1]:.2g}"

    said = "; ".join(
        f"{name}: outputs {change(spreads, 'outputs')}, gradients {change(spreads, 'gradients')}"
        for name, spreads in named.items()
    )
    message = (
        "The layers from the input (top) to the output, and how large their outputs and gradients are, on a log scale. "
        f"Standard deviation from the first to the last hidden layer, {said}."
    )
    return draw_panels("layer_spreads", "Outputs and gradients by layer", message, plot, height=height)


def _ridges(axes: Axes, spreads: Spread, kind: str, names: Sequence[str]) -> None:
    lowest, highest = -8.0, 4.0
    for place, layer in enumerate(spreads):
        found = layer[kind]
        shares = np.array(found["shares"])
        if len(shares):
            powers = found["first"] + 0.25 * np.arange(len(shares) + 1)
            steps = np.repeat(powers, 2)[1:-1].clip(lowest, highest)
            heights = np.repeat(0.9 * shares / shares.max(), 2)
            axes.fill_between(
                steps, place - heights, place, color=(ACCENT, SECOND)[kind == "gradients"], alpha=0.75, linewidth=0
            )
            outside = shares.sum() * OUTSIDE
            if shares[powers[1:] <= lowest].sum() > outside:
                axes.text(lowest + 0.35, place - 0.15, "below 1e-8", color=MUTED, size=7)
            if shares[powers[:-1] >= highest].sum() > outside:
                axes.text(highest - 0.35, place - 0.15, "above 1e4", color=MUTED, size=7, ha="right")
        if found["zero"] > 0.995:
            axes.text(0.5 * (lowest + highest), place - 0.1, "all zero", color=MUTED, size=7, ha="center")
        axes.axhline(place, color=MUTED, linewidth=0.4)
    axes.set(xlim=(lowest, highest), ylim=(len(spreads) - 0.9, -1.1))
    axes.set_yticks(range(len(spreads)), [short(name) for name in names] or [""] * len(spreads), size=7)
    axes.grid(False, axis="y")
    axes.set_xticks([-8, -4, 0], ["1e-8", "1e-4", "1"], size=8)
    axes.spines["left"].set_visible(False)


def _gradient_check(found: Mapping[str, Any]) -> Picture:
    rows = found["details"][::-1]  # from the input to the output
    errors = [max(float(row["relative_error"]), 1e-13) for row in rows]

    def plot(axes: Axes) -> None:
        places = np.arange(len(rows))
        colours = [ACCENT if error < 1e-5 else SECOND for error in errors]
        axes.scatter(errors, places, color=colours, s=36)
        for middle, (limit, name) in zip((1e-9, 1e-6, 1e-4, 1e-2), BANDS.items(), strict=True):
            axes.axvline(limit, color=MUTED, linewidth=1, linestyle=":")
            axes.text(middle, -0.75, name, ha="center", va="center", size=7, color=MUTED)
        axes.set_xscale("log")
        axes.set_xlim(min(1e-11, *errors) / 3, 3)
        axes.set_xticks([10.0**power for power in (-11, -9, -7, -5, -3, -1)])
        axes.set_xticklabels([f"1e{power}" for power in (-11, -9, -7, -5, -3, -1)])
        axes.set_yticks(places, [short(row["layer"]) for row in rows])
        axes.set(ylim=(len(rows) - 0.5, -1.1), xlabel="relative error of the gradient")

    return draw("gradient_check", "Gradient check", str(found["text"]), plot, height=1.2 + 0.25 * len(rows), left=0.34)
