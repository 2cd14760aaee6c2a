"""Naive Bayes' opinion on each n-gram."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def log_count_ratios(
    ids: npt.NDArray[np.int32], targets: npt.NDArray[np.floating], size: int, smoothing: float
) -> npt.NDArray[np.float32]:
    """How much more often each n-gram is met where the target is high (Wang & Manning 2012).

    Args:
        ids: n-gram numbers of the train rows, shape (n, length); 0 for none, 1 for an unknown one.
        targets: of the same rows, shape (n, outputs): 0 and 1, or a quantity, which counts as high above its mean.
        size: number of different ids.
        smoothing: added to each count, above 0.

    Returns:
        log((p / |p|) / (q / |q|)) for p the counts in the rows with a high target and q in the others, shape
        (size, outputs); 0 for the ids 0 and 1.
    """
    ratios = np.zeros((size, targets.shape[1]), np.float32)
    for output, column in enumerate(targets.T):
        high = column > column.mean()
        shares = []
        for rows in (ids[high], ids[~high]):
            counts = smoothing + np.bincount(rows.ravel(), minlength=size)[2:]
            shares.append(counts / counts.sum())
        ratios[2:, output] = np.log(shares[0] / shares[1])
    return ratios
