"""Where the engine gets its rows from: all of them resident in memory, or a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

BLOCK_ROWS = 65_536
BLOCK_BYTES = 2**28  # of features, where a row is an image

Order = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Rows that lie in memory, and the order in which to take them.

    Attributes:
        features: tensors by name, first axis the rows.
        targets: (rows,) or (rows, labels).
        weights: (rows,) float32, or None where every row counts the same.
        order: positions into the above, int64.
    """

    features: Any
    targets: Any
    weights: Any
    order: Any


class Source(Protocol):
    """Rows for training or for validation."""

    rows: int

    def blocks(self, order: Order, batch_size: int) -> Iterator[Block]:
        """The rows in this order; every block but the last holds a whole number of batches."""


class Resident:
    """All rows as tensors; an epoch is one block.

    Args:
        features: by name, first axis the rows.
        targets: (rows,) or (rows, labels).
        weights: (rows,) or None.
    """

    def __init__(self, features: dict[str, npt.NDArray[Any]], targets: npt.NDArray[Any], weights: Any = None) -> None:
        self.rows = len(targets)
        self.features = {name: tf.constant(values) for name, values in features.items()}
        self.targets = tf.constant(targets)
        self.weights = None if weights is None else tf.constant(weights, tf.float32)

    def blocks(self, order: Order, batch_size: int) -> Iterator[Block]:
        """One block: everything."""
        del batch_size
        yield Block(self.features, self.targets, self.weights, tf.constant(order, tf.int64))


class Streaming:
    """Rows that are made when their turn comes, the next block while the current one trains.

    Args:
        features_of: from positions (m,) to features by name.
        targets: (rows,) or (rows, labels).
        weights: (rows,) or None.
    """

    def __init__(
        self,
        features_of: Callable[[Order], dict[str, npt.NDArray[Any]]],
        targets: npt.NDArray[Any],
        weights: Any = None,
    ) -> None:
        self.rows = len(targets)
        self._features_of = features_of
        self._targets = targets
        self._weights = None if weights is None else np.asarray(weights, np.float32)

    def blocks(self, order: Order, batch_size: int) -> Iterator[Block]:
        """Blocks of about 65,536 rows, or 256 MiB."""
        sample = self._features_of(order[:1])
        rows = min(BLOCK_ROWS, BLOCK_BYTES // max(1, sum(values.nbytes for values in sample.values())))
        step = max(1, rows // batch_size) * batch_size

        def made() -> Iterator[Any]:
            for first in range(0, len(order), step):
                rows = order[first : first + step]
                features = self._features_of(rows)
                weights = np.zeros(0, np.float32) if self._weights is None else self._weights[rows]
                yield features, self._targets[rows], weights

        signature = (
            {name: tf.TensorSpec((None, *values.shape[1:]), values.dtype) for name, values in sample.items()},
            tf.TensorSpec((None, *self._targets.shape[1:]), self._targets.dtype),
            tf.TensorSpec((None,), tf.float32),
        )
        for features, targets, weights in tf.data.Dataset.from_generator(made, output_signature=signature).prefetch(1):
            count = tf.shape(targets, tf.int64)[0]
            yield Block(features, targets, None if self._weights is None else weights, tf.range(count, dtype=tf.int64))
