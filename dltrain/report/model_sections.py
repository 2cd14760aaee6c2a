"""The parts of a report that are about the model: what it uses, its worst mistakes, its layers.

Each function gives what stands in a section, in order: HTML, and groups of pictures that stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.report import figures
from dltrain.report.page import Html, folded, note, table, text
from dltrain.report.score_sections import Part
from dltrain.report.words import number

MOST_BARS = 20  # columns in the picture of the importance


def importance(found: Mapping[str, Any] | None) -> list[Part]:
    """How much the loss rises without each column, as `report.insights` found it."""
    if not found:
        return []
    if "left_out" in found:
        return [note(found["left_out"])]
    columns: Sequence[Mapping[str, Any]] = found["columns"]
    words = (
        f"The cells of one column are shuffled among {found['rows']:,} validation rows, {found['repeats']} "
        "times; the more the loss rises, the more the model relies on the column. Columns that say the same thing "
        "share their importance. It is about the model, not about causes."
    )
    rows = [[each["column"], f"{each['mean']:+.4f}", f"{each['sd']:.4f}"] for each in columns]
    listing = table("Rise of the validation loss", ["column", "mean", "standard deviation"], rows)
    if len(columns) > MOST_BARS:
        listing = folded(f"All {len(columns)} columns", listing)
    return [note(words), [figures.importance(columns[:MOST_BARS])], listing]


def mistakes(found: Sequence[Mapping[str, Any]]) -> list[Part]:
    """The validation rows with the greatest loss."""
    if not found:
        return []
    names, shown = list(found[0]["columns"]), list(found[0]["images"])
    sure = any(each["probability"] is not None for each in found)
    rows = []
    for each in found:
        cells: list[Any] = [each["row_id"], each["target"], each["prediction"]]
        if sure:
            cells.append(number(each["probability"]))
        cells.append(number(each["loss"]))
        for name in shown:
            alt = f"{name} of row {each['row_id']}"
            cells.append(Html(f'<span class="cell"><img alt="{text(alt)}" src="{text(each["images"][name])}"></span>'))
        rows.append([*cells, *(each["columns"][name] for name in names)])
    head = ["row", "true", "predicted", *(["its probability"] if sure else []), "loss", *shown, *names]
    words = (
        "The validation rows with the greatest loss, as they stand in the data. Look for wrong labels and for what "
        "they have in common. Test rows are not shown: what is learned from them could not be tested any more."
    )
    return [note(words), table("Rows with the greatest loss", head, rows, words=len(head))]


def layers(found: Sequence[Mapping[str, Any]], rows_used: int) -> list[Part]:
    """What the layers give, and what gradients reach them.

    Args:
        found: the layers from the input to the output.
        rows_used: train rows that were sent through them.
    """
    if not found:
        return []
    rows = [
        [
            layer["name"],
            layer["kind"],
            _short(layer["mean"]),
            _short(layer["sd"]),
            "" if layer["dead"] is None else f"{100 * layer['dead']:.0f} %",
            f"{layer['weights']:,}",
            _short(layer["weight_rms"]),
            _short(layer["gradient_rms"]),
        ]
        for layer in found
    ]
    head = ["layer", "kind", "output mean", "output sd", "dead units", "weights", "weight rms", "gradient rms"]
    listing = table("Layers from the input to the output", head, rows, words=2)
    drawn = sum(bool(layer.get("gradient_rms")) for layer in found) > 1
    words = (
        f"{rows_used:,} train rows forwards and their loss backwards, with the weights "
        "that were kept; rms is the root of the mean square."
    )
    return [note(words), *([[figures.gradients(found)]] if drawn else []), listing]


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
