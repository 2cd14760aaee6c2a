"""Loads scikit-learn's handwritten digits: 1,797 images of 8 x 8 pixels (Alpaydin & Kaynak 1998, UCI's test part)."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from dltrain.config.tasks import MULTICLASS
from dltrain.data.dataset import Dataset


def load(*, name: str) -> Dataset:
    """Loads grey images with the digit as class; the file's values 0 to 16 are scaled to bytes from 0 to 255."""
    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None]
    return Dataset(
        name=name,
        columns={"image": pixels},
        kinds={"image": "image"},
        target={"digit": found.target.astype(str).astype(object)},
        row_ids=np.arange(len(pixels)),
        source=f"{len(pixels):,} handwritten digits of 8 x 8 pixels (scikit-learn's copy of UCI's 'optdigits')",
        task=MULTICLASS.name,
    )
