"""Computes what n-grams weigh before any training: log-count ratios as in naive Bayes, and how rare they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dltrain.data.storage import release_pages

ROWS_AT_ONCE = 4_096  # sorting and counting take several times the memory of the ids


def log_count_ratios(
    ids: npt.NDArray[np.int32], targets: npt.NDArray[np.floating], size: int, smoothing: float
) -> npt.NDArray[np.float32]:
    """Returns how much more frequent each n-gram is in rows with a high target, in logarithms (Wang & Manning 2012).

    `ids` are n-gram ids (n, length), 0 for padding and 1 for unknown, below `size`; `targets` is (n, outputs), 0 and 1
    or a quantity, which counts as high above its mean; `smoothing` above 0 is added to each count. The result log((p /
    |p|) / (q / |q|)) has shape (size, outputs), with p the counts in the rows with a high target and q in the others;
    it is 0 for the ids 0 and 1.
    """
    ratios = np.zeros((size, targets.shape[1]), np.float32)
    for output, column in enumerate(targets.T):
        high = column > column.mean()
        found = np.zeros((2, size), np.int64)
        for first in range(0, len(ids), ROWS_AT_ONCE):
            block, of_block = ids[first : first + ROWS_AT_ONCE], high[first : first + ROWS_AT_ONCE]
            for place, rows in enumerate((of_block, ~of_block)):
                found[place] += np.bincount(block[rows].ravel(), minlength=size)
            release_pages()
        shares = [counts / counts.sum() for counts in smoothing + found[:, 2:]]
        ratios[2:, output] = np.log(shares[0] / shares[1])
    return ratios


def mean_count(ids: npt.NDArray[np.int32]) -> float:
    """Returns how many n-grams a row of `ids` (n, length) has in the mean; 0 is padding."""
    found = 0
    for first in range(0, len(ids), ROWS_AT_ONCE):
        found += int(np.count_nonzero(ids[first : first + ROWS_AT_ONCE]))
        release_pages()
    return float(found / len(ids))


def inverse_document_frequencies(ids: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.float32]:
    """Returns how rare each n-gram is, log((1 + n) / (1 + rows that have it)) + 1 of n rows, shape (size,).

    `ids` are n-gram ids (n, length), 0 for padding and 1 for unknown, below `size`; it is 0 for the ids 0 and 1.
    """
    having = np.zeros(size, np.int64)
    for begin in range(0, len(ids), ROWS_AT_ONCE):
        ordered = np.sort(ids[begin : begin + ROWS_AT_ONCE], axis=1)
        first = np.ones(ordered.shape, bool)
        first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        having += np.bincount(ordered[first], minlength=size)
        release_pages()
    found = np.log((1 + len(ids)) / (1 + having)) + 1
    found[:2] = 0
    return found.astype(np.float32)
