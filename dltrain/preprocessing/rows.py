"""Gives the engine its rows, either all of them resident in memory or block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.data.storage import release_pages

BLOCK_ROWS = 65_536
BLOCK_BYTES = 2**28  # of features, which limits blocks of images

Order = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Rows in memory, and the order in which to take them."""

    features: Any  # tensors by name, whose first axis is the rows
    targets: Any  # shape (rows,) or (rows, labels)
    weights: Any  # shape (rows,) float32, or None if every row counts the same
    order: Any  # positions into the above, int64


def gather(features: Any, rows: Any) -> dict[str, Any]:
    """Returns some rows of tensors by name; `rows` are positions."""
    return {name: tf.gather(values, rows) for name, values in features.items()}


class Source(Protocol):
    """Rows for training or validation."""

    rows: int

    def blocks(self, order: Order, batch_size: int) -> Iterator[Block]:
        """Yields the rows in this order; every block but the last holds a whole number of batches."""


class Resident:
    """All rows as tensors in memory; an epoch is one block. Shapes are those of `Block`."""

    def __init__(self, features: dict[str, npt.NDArray[Any]], targets: npt.NDArray[Any], weights: Any = None) -> None:
        self.rows = len(targets)
        self.features = {name: tf.constant(values) for name, values in features.items()}
        self.targets = tf.constant(targets)
        self.weights = None if weights is None else tf.constant(weights, tf.float32)

    def blocks(self, order: Order, batch_size: int) -> Iterator[Block]:
        """Yields all rows as one block."""
        yield Block(self.features, self.targets, self.weights, tf.constant(order, tf.int64))


class Streaming:
    """Rows whose features are computed block by block, the next one while the current one trains.

    `features_of` maps positions (m,) to features by name; `targets` and `weights` have the shapes of `Block`.
    """

    def __init__(
        self,
        features_of: Callable[[Order], dict[str, npt.NDArray[Any]]],
        targets: npt.NDArray[Any],
        weights: Any = None,
    ) -> None:
        self.rows = len(targets)
        self._features_of = features_of
        self._row_bytes: int | None = None
        self._targets = targets
        self._weights = None if weights is None else np.asarray(weights, np.float32)

    def blocks(self, order: Order, batch_size: int) -> Iterator[Block]:
        """Yields blocks of about 65,536 rows, or 256 MiB of features if that is less."""
        if not len(order):
            return
        if self._row_bytes is None:
            self._row_bytes = max(1, sum(values.nbytes for values in self._features_of(order[:1]).values()))
        step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // self._row_bytes) // batch_size) * batch_size
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self._block, order[:step])
            for first in range(step, len(order), step):
                block, coming = coming.result(), ahead.submit(self._block, order[first : first + step])
                yield block
            yield coming.result()

    def _block(self, rows: Order) -> Block:
        features = {name: tf.constant(values) for name, values in self._features_of(rows).items()}
        release_pages()
        weights = None if self._weights is None else tf.constant(self._weights[rows])
        return Block(features, tf.constant(self._targets[rows]), weights, tf.range(len(rows), dtype=tf.int64))
