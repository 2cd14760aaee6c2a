"""The rows of a leaderboard: jobs that differ in nothing but their seed are one setting."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from dltrain.scoring.significance import corrected_t, holm
from dltrain.sweep.ledger import Entry
from dltrain.sweep.ranking import better_way, finite, ranked, settings_of

LEVEL = 0.05


@dataclass(frozen=True)
class Setting:
    """One setting of a sweep.

    Attributes:
        entries: its completed jobs, one a seed.
        values: the monitored value of each seed or fold, by its name.
        overlap: of the folds, where the values are folds; see `Entry`.
    """

    entries: list[Entry]
    values: dict[str, float]
    overlap: float | None

    @property
    def mean(self) -> float:
        """Of the values; for folds that is what the job reported."""
        return statistics.mean(self.values.values())

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the values; None for a single one."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None


def settings(entries: Sequence[Entry], way: str | None = None) -> list[Setting]:
    """The settings of a sweep, the best mean first."""
    found: dict[frozenset[tuple[str, str]], list[Entry]] = {}
    for entry in sorted(ranked(entries), key=lambda entry: list(entries).index(entry)):
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
    """Whether each setting cannot be told from the first (Holm's correction); None where no test is possible."""
    values = [paired_p(found[0], other) for other in found[1:]]
    tested = [value for value in values if value is not None]
    if not tested or all(len(each.values) < 2 for each in found):
        return None
    adjusted = iter(holm(tested))
    return [True, *(next(adjusted) > LEVEL if value is not None else True for value in values)]


def paired_p(best: Setting, other: Setting) -> float | None:
    """Two-sided p value that two settings differ on average; None where fewer than two pairs exist.

    Folds share training rows, for which the t test is corrected; over seeds it is the paired t test.
    """
    common = [name for name in best.values if name in other.values]
    if len(common) < 2:
        return None
    pairs = [best.values[name] for name in common], [other.values[name] for name in common]
    return corrected_t(*pairs, best.overlap or 0.0).p_value
