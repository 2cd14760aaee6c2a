"""Computes the log-count ratios of n-grams, as in naive Bayes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
        shares = []
        for rows in (ids[high], ids[~high]):
            counts = smoothing + np.bincount(rows.ravel(), minlength=size)[2:]
            shares.append(counts / counts.sum())
        ratios[2:, output] = np.log(shares[0] / shares[1])
    return ratios
