"""Which settings of a sweep cannot be told from the best one, paired over folds or seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy import stats

LEVEL = 0.05


def holm(values: Sequence[float]) -> list[float]:
    """P values adjusted for their number (Holm 1979), in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = highest
    return adjusted


def paired_p(best: Mapping[str, float], other: Mapping[str, float], folds: int | None) -> float | None:
    """Two-sided p value that two settings differ on average; None where fewer than two pairs exist.

    Args:
        best: value by fold or seed.
        other: value by fold or seed.
        folds: of a cross-validation; its train rows overlap, which widens the variance by 1/n + 1/(folds - 1)
            instead of 1/n (Nadeau & Bengio 2003). None for seeds: the paired t test.
    """
    pairs = [best[name] - other[name] for name in best if name in other]
    if len(pairs) < 2:
        return None
    spread = statistics.variance(pairs)
    if spread == 0:
        return 1.0 if pairs[0] == 0 else 0.0
    overlap = 1 / (folds - 1) if folds else 0.0
    statistic = statistics.mean(pairs) / math.sqrt((1 / len(pairs) + overlap) * spread)
    return float(2 * stats.t.sf(abs(statistic), len(pairs) - 1))
