"""The order of a sweep's settings by what its search makes small or great, and those that no other beats."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dltrain.sweep.groups import Setting, settings
from dltrain.sweep.ledger import Entry
from dltrain.sweep.objectives import values_of
from dltrain.sweep.ranking import better_way


@dataclass(frozen=True)
class Standings:
    """The jobs of a sweep in their order.

    Attributes:
        entries: all jobs; the first objective stands in the place of the monitored value.
        way: `min` or `max`, of that value.
        settings: those with a value, the winner first.
        front: the settings that no other beats in every objective with their objectives by name, the winner first;
            empty for a single objective.
    """

    entries: list[Entry]
    way: str
    settings: list[Setting]
    front: list[tuple[Setting, dict[str, float]]]


def standings(entries: Sequence[Entry], objectives: Mapping[str, str]) -> Standings:
    """Puts the settings of a sweep in order.

    Args:
        entries: as the ledger has them.
        objectives: `min` or `max` by name; the monitored value decides where there are none.
    """
    names = list(objectives)
    if not names:
        way = better_way(entries)
        return Standings(list(entries), way, settings(entries, way), [])
    values = {entry.job: values_of(entry, names) for entry in entries}
    judged = [
        replace(entry, monitor=names[0], value=found[0] if (found := values[entry.job]) else None) for entry in entries
    ]
    way = objectives[names[0]]
    ordered = settings(judged, way)
    if len(names) == 1:
        return Standings(judged, way, ordered, [])
    known = {job: found for job, found in values.items() if found}
    front = _front([(each, _point(each, names, known)) for each in ordered], objectives)
    # Of settings that are equal in the first objective, one that another beats may come first.
    ordered.sort(key=lambda each: each is not front[0][0])
    return Standings(judged, way, ordered, front)


def _point(each: Setting, names: Sequence[str], values: Mapping[str, list[float]]) -> dict[str, float]:
    """The mean of each objective over the jobs of a setting."""
    means = [statistics.mean(column) for column in zip(*(values[entry.job] for entry in each.entries), strict=True)]
    return dict(zip(names, [each.mean, *means[1:]], strict=True))


def _front(
    scored: Sequence[tuple[Setting, dict[str, float]]], objectives: Mapping[str, str]
) -> list[tuple[Setting, dict[str, float]]]:
    points = [[-value if objectives[name] == "max" else value for name, value in point.items()] for _, point in scored]

    def beaten(point: list[float]) -> bool:
        return any(
            other != point and all(one <= two for one, two in zip(other, point, strict=True)) for other in points
        )

    front = [place for place, point in enumerate(points) if not beaten(point)]
    return [scored[place] for place in sorted(front, key=lambda place: points[place])]
