"""Orders the settings of a sweep and finds those that no other beats.

Jobs that differ only in their seed are one setting.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dltrain.scoring.significance import corrected_t, holm
from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.ranking import better_way, finite, ranked, settings_of, values_of

LEVEL = 0.05


@dataclass(frozen=True)
class Setting:
    """One setting of a sweep."""

    entries: list[Entry]  # its completed jobs, one for each seed
    values: dict[str, float]  # the monitored value of each seed or fold, by its name
    overlap: float | None  # as in `Entry`, if the values are those of folds

    @property
    def mean(self) -> float:
        """The mean of the values; for folds it is what the job reported."""
        return statistics.mean(self.values.values())

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the values; None for a single one."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None


def settings(entries: Sequence[Entry], way: str | None = None) -> list[Setting]:
    """Returns the settings of a sweep, the best mean first; `way` is `min` or `max`, or None for that of the jobs."""
    found: dict[frozenset[tuple[str, str]], list[Entry]] = {}
    places = {id(entry): place for place, entry in enumerate(entries)}
    for entry in sorted(ranked(entries), key=lambda entry: places[id(entry)]):
        own = frozenset((key, value) for key, value in settings_of(entry).items() if key != "seed")
        found.setdefault(own, []).append(entry)
    sign = -1 if (way or better_way(entries)) == "max" else 1
    return sorted((_setting(jobs) for jobs in found.values()), key=lambda each: sign * each.mean)


def _setting(jobs: list[Entry]) -> Setting:
    repeats = jobs[0].repeats.get((jobs[0].monitor or "").removeprefix("val_"))
    if len(jobs) == 1 and repeats:
        return Setting(jobs, dict(repeats), jobs[0].overlap)
    values = {
        settings_of(job).get("seed", job.job): float(job.value)
        for job in jobs
        if finite(job.value) and job.value is not None
    }
    return Setting(jobs, values if len(jobs) > 1 else {"": next(iter(values.values()))}, None)


def like_the_best(found: Sequence[Setting]) -> list[bool] | None:
    """Returns whether each setting cannot be told from the first (Holm's correction); None if no test is possible."""
    values = [paired_p(found[0], other) for other in found[1:]]
    tested = [value for value in values if value is not None]
    if not tested or all(len(each.values) < 2 for each in found):
        return None
    adjusted = iter(holm(tested))
    return [True, *(next(adjusted) > LEVEL if value is not None else True for value in values)]


def paired_p(best: Setting, other: Setting) -> float | None:
    """Returns the two-sided p value that two settings differ on average; None for fewer than two pairs.

    Over seeds it is the paired t test; over folds it is corrected, since folds share training rows. Pairs that do not
    vary have none either.
    """
    common = [name for name in best.values if name in other.values]
    if len(common) < 2:
        return None
    pairs = [best.values[name] for name in common], [other.values[name] for name in common]
    return corrected_t(*pairs, best.overlap or 0.0).p_value


@dataclass(frozen=True)
class Standings:
    """The ordered settings of a sweep."""

    entries: list[Entry]  # all jobs, with the first objective as monitored value
    way: str  # `min` or `max`, of that value
    settings: list[Setting]  # those with a value, the winner first
    # The settings that no other beats in every objective, with their objectives by name, the winner first; empty for a
    # single objective
    front: list[tuple[Setting, dict[str, float]]]


def standings(entries: Sequence[Entry], objectives: Mapping[str, str]) -> Standings:
    """Orders the settings of a sweep by the first of the objectives, or by the monitored value if there are none.

    `objectives` gives `min` or `max` by name.
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
    # Among settings that are equal in the first objective, one of the front must come first.
    ordered.sort(key=lambda each: each is not front[0][0])
    return Standings(judged, way, ordered, front)


def _point(each: Setting, names: Sequence[str], values: Mapping[str, list[float]]) -> dict[str, float]:
    """Returns the mean of each objective over the jobs of a setting."""
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
