"""Selects images to show: those with the largest loss, and augmented ones."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from dltrain.preprocessing.prepared import Prepared
from dltrain.training.augmentation import Augmentation

MOST_ROWS = 5_000  # rows that are searched


def worst_mistakes(network: keras.Model, data: Prepared, *, most: int) -> list[tuple[str, npt.NDArray[np.uint8]]]:
    """Returns at most `most` wrongly predicted validation images with titles, the largest loss first.

    The list is empty without images. The network is compiled and has the weights that are kept.
    """
    column = _image_column(data)
    if column is None:
        return []
    sample = data.sample("validation", MOST_ROWS)
    (answers,) = sample.answers(network)
    each = np.asarray(network.loss.call(sample.truth.column, answers), np.float64)
    losses = each.reshape(len(answers), -1).mean(axis=1)
    is_what, taken_for = sample.targets, sample.read(answers)
    quantity = not sample.truth.classes
    worst = [row for row in np.argsort(-losses, kind="stable") if quantity or taken_for[row] != is_what[row]]
    return [
        (
            f"row {sample.raw.row_ids[row]}: is {is_what[row]}, predicted {taken_for[row]}, loss {losses[row]:.3g}",
            sample.raw.columns[column][row],
        )
        for row in worst[:most]
    ]


def before_and_after(
    augmentation: Augmentation, data: Prepared, *, most: int
) -> list[tuple[str, npt.NDArray[np.uint8]]]:
    """Returns train images, each with what the first training step could make of it at its right, and titles."""
    column = _image_column(data)
    if column is None:
        return []
    sample = data.sample("train", most)
    changed, _ = augmentation(dict(sample.features), None, 0)
    shares = (np.asarray(changed["image"]) - np.asarray(augmentation.low)) / np.asarray(augmentation.stretch)
    pixels = np.clip(np.rint(shares * 255), 0, 255).astype(np.uint8)
    pairs = np.concatenate([sample.raw.columns[column], pixels], axis=2)
    return [
        (f"row {row}: {target}", pair)
        for row, target, pair in zip(sample.raw.row_ids, sample.targets, pairs, strict=True)
    ]


def _image_column(data: Prepared) -> str | None:
    return next((name for name, kind in data.dataset.kinds.items() if kind == "image"), None)
