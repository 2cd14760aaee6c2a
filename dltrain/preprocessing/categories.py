"""Chooses the words of a category that the model tells apart, and numbers them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

UNKNOWN = "[unknown to the train rows]"
MANY = 20  # in a column of more words than this, a word of a single train row teaches nothing that holds for others


def frequent_words(
    name: str, cells: npt.NDArray[Any], minimum_count: int, most: int | None
) -> tuple[list[str], list[str]]:
    """Returns the words of a column of train rows, shape (n,), that get an id of their own, by alphabet.

    All other words share the id of unknown ones, which the second list tells. `most` limits the words to the most
    frequent ones; None keeps all with at least `minimum_count` rows.
    """
    words, counts = np.unique(cells[cells != ""].astype(str), return_counts=True)
    if most is not None and len(words) > MANY:
        minimum_count = max(minimum_count, 2)
    places = np.flatnonzero(counts >= minimum_count)
    if most is not None and len(places) > most:
        places = np.sort(places[np.argsort(-counts[places], kind="stable")[:most]])
    notes = []
    if len(places) < len(words):
        rows = int(counts.sum() - counts[places].sum())
        notes.append(
            f"{name}: {len(places):,} of {len(words):,} categories are told apart; the others, in "
            f"{rows:,} of {len(cells):,} train rows, share one input with unknown ones."
        )
    return [str(word) for word in words[places]], notes


def lookup_of(words: list[str]) -> keras.layers.StringLookup:
    """Returns a layer from words to ids: 0 for a missing cell, 1 for an unknown word, then `words` in their order."""
    # Keras refuses an empty vocabulary; with this one every word is unknown.
    return keras.layers.StringLookup(vocabulary=words or ["(none)"], mask_token="", oov_token=UNKNOWN)
