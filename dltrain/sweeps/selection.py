"""Chooses the members of an ensemble and how often each counts (Caruana, Niculescu-Mizil, Crew and Ksikes 2004)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ROUNDS = 30  # members that are added one after the other, the same one more than once too
TOLERANCE = 1e-7  # relative
Answers = npt.NDArray[np.floating[Any]]


def select(
    answers: Sequence[Answers],
    value: Callable[[Answers], float],
    join: Callable[[Sequence[Answers]], Answers],
    most: int,
) -> dict[int, int]:
    """Returns the places of the chosen models with the number of times that each counts.

    Beginning with the best model, the one that lowers `value` of the joined answers most is added again and again, also
    if it is there already; the smallest beginning of this row with the least value is taken. `answers` holds those of
    each model on the same rows, none of which it was trained on, each of shape (rows, units); `join` gives the answers
    of the ensemble from those of its members; at most `most` different models are chosen.
    """
    alone = [value(each) for each in answers]
    chosen = [int(np.nanargmin(alone))]
    values = [alone[chosen[0]]]
    for _ in range(ROUNDS - 1):
        allowed = range(len(answers)) if len({*chosen}) < most else sorted({*chosen})
        members = [answers[place] for place in chosen]
        tried = {place: value(join([*members, answers[place]])) for place in allowed}
        best = min(tried, key=lambda place: (np.isnan(tried[place]), tried[place]))
        chosen.append(best)
        values.append(tried[best])
    least = np.nanmin(values)
    # Rounding makes tiny differences between rows of the same members.
    end = next(place for place, each in enumerate(values) if each <= least + TOLERANCE * abs(least))
    return dict(Counter(chosen[: end + 1]))
