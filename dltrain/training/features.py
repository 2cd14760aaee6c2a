"""Computes the features of a frozen backbone once for the same images, in any run or job of a sweep.

A pass through the backbone takes longer than all epochs of the head, and the head is what a person varies.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from dltrain.data.storage import cached_table
from dltrain.engine.executor import libraries
from dltrain.internals.keras_training import all_layers
from dltrain.models.efficientnet import FEATURES
from dltrain.preprocessing.rows import Resident, Source

logger = logging.getLogger("dltrain")

# Part of the key of cached files; to be raised when the same images and weights give other numbers.
VERSION = "features_1"
MOST_BYTES_KEPT = 2**29


def features_of(network: keras.Model, source: Source, targets: npt.NDArray[Any], weights: Any, batch: int) -> Resident:
    """Returns the backbone's features of all rows, from the data directory if they were computed before.

    `targets` and `weights` (or None) belong to the rows of `source`, in order; `batch` is the number of rows at a time.
    """
    extractor = keras.Model(network.input, network.get_layer(FEATURES).output)
    width = int(extractor.output.shape[-1])

    if source.rows * width * 4 > MOST_BYTES_KEPT:
        return Resident({FEATURES: _computed(extractor, source, batch)}, targets, weights)
    built = False

    def table() -> pa.Table:
        nonlocal built
        built = True
        flat = pa.array(_computed(extractor, source, batch).reshape(-1))
        return pa.table({FEATURES: pa.FixedSizeListArray.from_arrays(flat, width)})

    began = time.perf_counter()
    column = cached_table(f"{VERSION}_{_digest(extractor, source, batch)}", table)[FEATURES].combine_chunks()
    found = column.flatten().to_numpy().reshape(-1, width)
    what = "computed and kept" if built else "read from the cache"
    logger.info("image: features of %s images %s in %.1f s", f"{source.rows:,}", what, time.perf_counter() - began)
    return Resident({FEATURES: found}, targets, weights)


def _computed(extractor: keras.Model, source: Source, batch: int) -> npt.NDArray[np.float32]:
    forward = tf.function(lambda rows: extractor(rows, training=False), autograph=False, reduce_retracing=True)
    return np.concatenate([np.asarray(forward(rows), np.float32) for rows in _batches(source, batch)])


def _digest(extractor: keras.Model, source: Source, batch: int) -> str:
    """Hashes all that the features depend on to the last bit, including batch size and library versions."""
    digest = hashlib.sha256(f"{libraries()} {batch}".encode())
    for layer in all_layers(extractor):
        if not isinstance(layer, keras.Model):  # whose layers come one by one
            settings = {name: value for name, value in layer.get_config().items() if name != "name"}
            digest.update(f"{type(layer).__name__} {settings}".encode())
    for weight in extractor.weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    for rows in _batches(source, batch):
        for name in sorted(rows):
            values = np.asarray(rows[name])
            digest.update(f"{name} {values.shape} {values.dtype}".encode() + values.tobytes())
    return digest.hexdigest()[:24]


def _batches(source: Source, batch: int) -> Iterator[dict[str, Any]]:
    for block in source.blocks(np.arange(source.rows), batch):
        for first in range(0, int(block.order.shape[0]), batch):
            rows = block.order[first : first + batch]
            yield {name: tf.gather(cells, rows) for name, cells in block.features.items()}
