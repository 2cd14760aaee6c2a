"""Draws what a network answered over two columns, or along one, before the training, on the way and in the end."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dltrain.base.plain_table import cell
from dltrain.record.record import Record
from dltrain.report.svg import ACCENT, GRID, INK, MUTED, SECOND, SERIES, Picture, draw_panels, prepare, short

FILE = "decision_boundary.json"
ON_THE_WAY = (0.05, 0.3)  # of the epochs up to the kept one, for the panels in the middle
LEVELS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.001)  # of the probability of the second of two classes
SHADES = (0.5, 0.3, 0.13, 0.13, 0.3, 0.5)
MOST_NAMES, MOST_POINTS = 6, 150  # in the legend, and in each panel
ABOVE, BELOW, HIGH, BETWEEN = 0.52, 0.47, 1.69, 0.33  # inches: margins, each panel, and between the rows
MOST_JOBS = 6

Numbers = npt.NDArray[np.float64]


def recorded(record: Record) -> dict[str, Any]:
    """Returns the content of decision_boundary.json with the losses of each epoch, or nothing without frames."""
    found: dict[str, Any] = record.json(FILE) if (record.path / FILE).exists() else {}
    if not found.get("frames"):
        return {}
    history = {int(row["epoch"]): row for row in record.history}
    losses = [
        {name: row[name] for name in ("loss", "val_loss") if name in row}
        for row in (history.get(frame["epoch"], {}) for frame in found["frames"])
    ]
    return {**found, "frames": [{**frame, **each} for frame, each in zip(found["frames"], losses, strict=True)]}


def picture(found: Mapping[str, Any]) -> Picture:
    """Draws the frames before the training, two on the way, and the one whose weights were kept."""
    shown = _chosen(found)
    last = shown[-1][1]
    held = ", ".join(f"{name} at {cell(value)}" for name, value in list(found["held"].items())[:MOST_NAMES])
    message = (
        f"What the network answers for {_asked(found)}, before the training and up to epoch {last['epoch']}"
        + (f" with a loss of {last['loss']:.3g}" if "loss" in last else "")
        + ". Points are train rows."
        + (f" Held: {held}{', …' if len(found['held']) > MOST_NAMES else ''}." if held else "")
    )
    panels = [(title, found, frame) for title, frame in shown]
    return _draw("The answer while it learns", message, panels)


def of_jobs(named: Mapping[str, Mapping[str, Any]]) -> Picture | None:
    """Draws what each job of a sweep answers with its kept weights, by its name; None unless all have one question."""
    asked = {_asked(found) for found in named.values()}
    if len(asked) != 1 or len(named) > MOST_JOBS:
        return None
    panels = [(name, found, _chosen(found)[-1][1]) for name, found in named.items()]
    scores = [f"{name}: {frame['val_loss']:.3g}" for name, _, frame in panels if "val_loss" in frame]
    message = f"What each network answers for {asked.pop()} with the weights that are kept. Points are train rows."
    return _draw("The answer of each", message + (f" Validation loss, {', '.join(scores)}." if scores else ""), panels)


def _asked(found: Mapping[str, Any]) -> str:
    of = " and ".join(f"'{axis['name']}'" for axis in found["axes"])
    return f"{found['target']} over {of}"


def _draw(title: str, message: str, panels: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> Picture:
    """Draws frames of recorded answers, two in a row, each with a title and what its job recorded."""
    first = panels[0][1]
    names = [axis["name"] for axis in first["axes"]]
    rows = -(-len(panels) // 2)
    height = ABOVE + BELOW + rows * HIGH + (rows - 1) * BETWEEN

    def plot(figure: Figure) -> None:
        wide_marks = len(names) == 2 and "words" in first["axes"][1]
        left, between = 0.24 if wide_marks else 0.15, 0.07
        width = (0.98 - left - between) / 2
        for place, (words, found, frame) in enumerate(panels):
            row, column = divmod(place, 2)
            bottom = height - ABOVE - HIGH - row * (HIGH + BETWEEN)
            box = (left + column * (width + between), bottom / height, width, HIGH / height)
            axes = prepare(figure.add_axes(box))
            axes.grid(False)
            (_plane if len(names) == 2 else _line)(axes, found, frame)
            axes.set_title(words, loc="left", fontsize=9, color=INK, pad=3)
            axes.tick_params(labelsize=8, labelbottom=place + 2 >= len(panels), labelleft=not column)
            if place + 2 >= len(panels):
                axes.set_xlabel(short(names[0]))
            if not column:
                axes.set_ylabel(short(names[1] if len(names) == 2 else first["target"]))
        _legend(figure, first)

    return draw_panels("decision_boundary", title, message, plot, height=height)


def _chosen(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Returns up to four frames with a title each."""
    frames = found["frames"]
    last = next((frame for frame in frames if frame["epoch"] == found["kept"]), frames[-1])
    between = [frame for frame in frames if 0 < frame["epoch"] < last["epoch"]]
    chosen = {0: frames[0]}
    for share in ON_THE_WAY:
        if between:
            nearest = min(between, key=lambda frame: abs(frame["epoch"] - share * last["epoch"]))
            chosen[nearest["epoch"]] = nearest
    chosen[last["epoch"]] = last
    titles = {0: "before the training", last["epoch"]: f"epoch {last['epoch']}, kept"}
    return [(titles.get(epoch, f"epoch {epoch}"), frame) for epoch, frame in sorted(chosen.items())]


def _points(found: Mapping[str, Any]) -> tuple[list[Numbers], Numbers]:
    """Returns where some train rows stand on each axis, and their targets."""
    few = slice(0, None, max(1, -(-len(found["points"]["target"]) // MOST_POINTS)))
    places = [_jittered(axis, each) for axis, each in zip(found["axes"], found["points"]["places"], strict=True)]
    return [each[few] for each in places], np.array(found["points"]["target"], np.float64)[few]


def _plane(axes: Axes, found: Mapping[str, Any], frame: Mapping[str, Any]) -> None:
    x, y = (_coordinates(axis, found["cells"]) for axis in found["axes"])
    bands = [2 if "words" in axis else 1 for axis in found["axes"]]
    planes = [
        _read(plane).reshape(len(y) // bands[1], -1).repeat(bands[1], 0).repeat(bands[0], 1)
        for plane in frame["answers"]
    ]
    classes = found["classes"]
    if len(planes) == 2:
        for place in range(len(classes)):
            own = planes[0] == place
            if own.any():
                colour = SERIES[place % len(SERIES)]
                axes.contourf(x, y, own.astype(float), levels=(0.5, 1.5), colors=[(colour, 0.2)])
                axes.contourf(x, y, own * planes[1] / 255, levels=(0.8, 1.001), colors=[(colour, 0.25)])
    else:
        colours = [(ACCENT if place < 3 else SECOND, shade) for place, shade in enumerate(SHADES)]
        if not classes:
            colours = [(ACCENT, _shade(place / (len(SHADES) - 1))) for place in range(len(SHADES))]
        levels = LEVELS if classes else np.linspace(0, 1.001, len(SHADES) + 1)
        axes.contourf(x, y, planes[0] / 255, levels=levels, colors=colours)
        if classes and planes[0].min() < 127.5 < planes[0].max():
            axes.contour(x, y, planes[0] / 255, levels=[0.5], colors=[INK], linewidths=1)
    places, targets = _points(found)
    for place in range(len(classes)):
        own = targets == place
        axes.scatter(places[0][own], places[1][own], s=5, color=SERIES[place % len(SERIES)], linewidths=0)
    if not classes:
        low, high = found["range"]
        share = (targets - low) / max(high - low, 1e-30)
        axes.scatter(
            places[0],
            places[1],
            s=9,
            color=[(ACCENT, _shade(each)) for each in share],
            edgecolors=MUTED,
            linewidths=0.4,
        )
    axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
    for axis, of in zip((axes.xaxis, axes.yaxis), found["axes"], strict=True):
        if "words" in of:
            axis.set_ticks(range(len(of["words"])), [short(word) for word in of["words"]])


def _line(axes: Axes, found: Mapping[str, Any], frame: Mapping[str, Any]) -> None:
    (axis,) = found["axes"]
    classes = found["classes"]
    (points,), targets = _points(found)
    lines = [np.array(line) for line in frame["answers"]]
    x = np.arange(len(axis["words"])) if "words" in axis else _coordinates(axis, found["cells"])
    if classes:
        for place in range(len(classes)):
            own = targets == place
            height = place if len(lines) == 1 else 1.06
            axes.scatter(points[own], np.full(own.sum(), height), s=5, color=SERIES[place % len(SERIES)], linewidths=0)
        axes.axhline(0.5, color=GRID, linewidth=1)
        low, high = 0.0, 1.0
    else:
        axes.scatter(points, targets, s=5, color=MUTED, linewidths=0)
        low, high = found["range"]
    for place, line in enumerate(lines):
        colour = SERIES[place % len(SERIES)] if len(lines) > 1 else INK if classes else SECOND
        axes.plot(x, line, color=colour, marker="o" if "words" in axis else None)
    margin = 0.12 * (high - low or 1.0)
    axes.set(xlim=(x[0], x[-1]), ylim=(low - margin, high + margin))
    if "words" in axis:
        axes.set(xlim=(-0.5, len(x) - 0.5))
        axes.set_xticks(x, [short(word) for word in axis["words"]])


def _legend(figure: Figure, found: Mapping[str, Any]) -> None:
    target = short(found["target"])
    marks: list[tuple[Any, str]] = [
        (SERIES[place % len(SERIES)], f"{target} {short(name)}") for place, name in enumerate(found["classes"])
    ]
    if not marks and len(found["axes"]) == 2:
        marks = [((ACCENT, _shade(share)), f"{target} {value:g}") for share, value in enumerate(found["range"])]
    if marks:
        dots: Any = [figure.axes[0].scatter([], [], s=16, color=[colour]) for colour, _ in marks[:MOST_NAMES]]
        said = [words for _, words in marks[:MOST_NAMES]]
        figure.legend(dots, said, loc="upper center", ncols=3, fontsize=8, handletextpad=0.1, borderaxespad=0.1)


def _shade(share: float) -> float:
    """Returns how much colour a share of the range of an amount has."""
    return 0.06 + 0.8 * min(max(share, 0.0), 1.0)


def _read(plane: str) -> Numbers:
    return np.frombuffer(base64.b64decode(plane), np.uint8).astype(np.float64)


def _coordinates(axis: Mapping[str, Any], cells: int) -> Numbers:
    """Returns where the values of an axis are; of a word the two ends of its band."""
    if "words" not in axis:
        return np.linspace(axis["low"], axis["high"], cells)
    return (np.arange(len(axis["words"]))[:, None] + [-0.49, 0.49]).ravel()


def _jittered(axis: Mapping[str, Any], places: Sequence[float | None]) -> Numbers:
    """Returns where to draw points; those of one word are spread over its band, always in the same way."""
    found = np.array([np.nan if place is None else place for place in places], np.float64)
    return found + 0.7 * (np.arange(len(found)) * 0.618 % 1 - 0.5) if "words" in axis else found
