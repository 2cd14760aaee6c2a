"""Turns texts into n-gram ids or weights with Keras' TextVectorization, fitted on the train rows.

Fitting and numbering 50,000 texts takes longer than many trainings, so that both results are kept in the data directory
under a hash of the texts and the settings.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
from omegaconf import DictConfig

from dltrain.base.errors import DataError
from dltrain.data.storage import cached_table, map_file, nameless_file, release_pages
from dltrain.internals.keras_networks import inverse_frequencies

logger = logging.getLogger("dltrain")

# Part of the key of cached files; to be raised when the same settings give other ids.
VERSION = "text_1"
IDS = ("sequence", "set")
FEWEST_TEXTS_CACHED = 2_000
TEXTS_AT_ONCE = 1_024  # as strings, the n-grams of a text take a hundred times its memory

Texts = npt.NDArray[Any]


def vectorization(texts: list[Texts], options: DictConfig) -> keras.layers.TextVectorization:
    """Returns a layer from texts (n, 1) to n-gram ids (n, length) or weights (n, vocabulary).

    The vocabulary is the most frequent n-grams of all columns `texts`, shape (n,) each; `options` is the config group
    `text`.
    """
    is_ids = options.output in IDS
    settings: dict[str, Any] = {
        "max_tokens": options.vocabulary_size,
        "standardize": None if options.standardize == "none" else options.standardize,
        "split": options.split,
        "ngrams": options.ngrams if options.ngrams > 1 else None,
        "output_mode": "int" if is_ids else options.output,
        "output_sequence_length": options.sequence_length if is_ids else None,
    }
    learned = _cached(sum(map(len, texts)), lambda: _learn(texts, settings), "vocabulary", texts, settings)
    words = [str(word) for word in learned["word"].to_pylist()]
    if options.output == "tf_idf":
        settings["idf_weights"] = learned["weight"].to_pylist()
    # A vocabulary given to the constructor is kept in the layer's config, where a word may hold any character.
    return keras.layers.TextVectorization(vocabulary=words, **settings)


def ngram_ids(layer: keras.layers.TextVectorization, options: DictConfig, texts: Any) -> Any:
    """Returns the n-gram ids of a tensor of texts, shape (n, length); 0 is padding, 1 an unknown n-gram."""
    ids = layer(texts)
    if options.output == "sequence":
        return ids
    ids = keras.ops.sort(ids)
    repeated = keras.ops.equal(ids[:, 1:], ids[:, :-1])
    repeated = keras.ops.pad(keras.ops.cast(repeated, "int64"), [[0, 0], [1, 0]])
    # Unknown n-grams are dropped because the train rows have too few of them to learn from.
    kept = keras.ops.cast(ids > 1, "int64") * (1 - repeated)
    return keras.ops.cast(ids, "int64") * kept


def cached_ngram_ids(model: keras.Model, raw: dict[str, Texts]) -> npt.NDArray[np.int32]:
    """Returns the ids (n, length) that `model` makes of raw text columns (n,), from the cache if they are there."""
    rows, width = len(next(iter(raw.values()))), model.output.shape[1]

    def made() -> pa.Table:
        cells = pa.py_buffer(numbered(model, raw, np.empty((rows, width), np.int32)))
        return pa.table({"ids": pa.FixedSizeBinaryArray.from_buffers(pa.binary(4 * width), rows, [None, cells])})

    table = _cached(rows, made, "ids", list(raw.values()), _settings(model))
    chunks = table["ids"].chunks
    blocks = [np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset * width :] for chunk in chunks]
    return np.concatenate([b[: len(c) * width] for b, c in zip(blocks, chunks, strict=True)]).reshape(rows, width)


def ngram_ids_on_disk(model: keras.Model, raw: dict[str, Texts]) -> npt.NDArray[np.int32]:
    """Returns the same as `cached_ngram_ids` in a file that is gone with the array.

    Raises:
        DataError: If the disk has no place for it.
    """
    shape = (len(next(iter(raw.values()))), model.output.shape[1])
    if not shape[0]:
        return np.empty(shape, np.int32)
    file, free = nameless_file()
    with file:
        if (needed := 4 * math.prod(shape)) > free:
            raise DataError(
                f"The n-grams of {shape[0]:,} texts take {needed:,} bytes on the disk of the data directory, which has "
                f"{free:,} left. Fewer are read of each text with text.sequence_length={shape[1] // 4}."
            )
        began = time.perf_counter()
        mapped = map_file(file, needed, writable=True)
        ids = numbered(model, raw, np.frombuffer(mapped, np.int32).reshape(shape))
    logger.info("text: ids of %s texts made on disk in %.1f s", f"{shape[0]:,}", time.perf_counter() - began)
    return ids


def numbered(model: keras.Model, raw: dict[str, Texts], into: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Writes the ids that `model` makes of raw text columns (n,) into an array (n, length), which it returns."""
    for first in range(0, len(into), TEXTS_AT_ONCE):
        block = {name: np.asarray(cells[first : first + TEXTS_AT_ONCE])[:, None] for name, cells in raw.items()}
        into[first : first + TEXTS_AT_ONCE] = model({name: tf.constant(cells) for name, cells in block.items()})
        release_pages()
    return np.asarray(into)


def _settings(model: keras.Model) -> list[Any]:
    """Returns all that determines the ids, without the names of layers, which depend on the process."""
    configs = [(type(layer).__name__, layer.get_config()) for layer in model.layers]
    return [(kind, config if kind == "TextVectorization" else None) for kind, config in configs if config.pop("name")]


def _learn(texts: list[Texts], settings: dict[str, Any]) -> pa.Table:
    words = _adapted(texts, {**settings, "output_mode": "int"}).get_vocabulary(include_special_tokens=False)
    if not words:
        return pa.table({"word": ["(none)"], "weight": [1.0]})
    weights: npt.NDArray[Any] = np.ones(len(words))
    if settings["output_mode"] == "tf_idf":  # Keras cannot fit these weights without words
        # The first weight belongs to unknown words, and the constructor adds it.
        weights = inverse_frequencies(_adapted(texts, settings))[1 : len(words) + 1]
    return pa.table({"word": words, "weight": weights})


def _adapted(texts: list[Texts], settings: dict[str, Any]) -> keras.layers.TextVectorization:
    learner = keras.layers.TextVectorization(**settings)
    # Block by block: as an array of NumPy's strings, every text would take the memory of the longest one.
    blocks = (cells[first : first + TEXTS_AT_ONCE] for cells in texts for first in range(0, len(cells), TEXTS_AT_ONCE))
    learner.adapt(tf.constant(np.asarray(block), tf.string) for block in blocks)
    return learner


def _cached(rows: int, made: Callable[[], pa.Table], what: str, texts: list[Texts], settings: Any) -> pa.Table:
    if rows < FEWEST_TEXTS_CACHED:
        return made()
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for column in texts:
        for cell in column:
            digest.update(f"{len(cell)}:{cell}".encode(errors="surrogateescape"))
    built = []

    def timed() -> pa.Table:
        built.append(made())
        return built[0]

    began = time.perf_counter()
    table = cached_table(f"{VERSION}_{what}_{digest.hexdigest()[:24]}", timed)
    source = "made and kept" if built else "read from the cache"
    logger.info("text: %s of %s texts %s in %.1f s", what, f"{rows:,}", source, time.perf_counter() - began)
    return table
