"""Images to look at: those that a network is most wrong about, and what augmentation makes of others."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

from dltrain.preprocessing.prepared import Prepared
from dltrain.training.augmentation import Augmentation

MOST_ROWS = 5_000  # that are looked at


def worst_mistakes(network: keras.Model, data: Prepared, *, most: int) -> list[tuple[str, npt.NDArray[np.uint8]]]:
    """Validation images with what they are and what they were taken for, the largest loss first; none without images.

    Args:
        network: compiled, with the weights that are kept.
        data: of the run.
        most: images at most.
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
    """Train images with what the first step of a training could make of them at their right.

    Args:
        augmentation: of the run.
        data: of the run; with images.
        most: images at most.
    """
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
