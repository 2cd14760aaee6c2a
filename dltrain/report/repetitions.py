"""Reads what the folds or seeds of a run reach together, which its report tells first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dltrain.record.record import Record

Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Repetitions:
    """The scores of a run over its folds or seeds, by metric."""

    what: str  # folds or seeds
    count: int
    part: str  # the part that they were scored on, in words
    mean: Values
    deviation: Values  # standard deviations of the sample
    baselines: Mapping[str, Values]  # the mean of each baseline; older runs have none over seeds
    first: int | None = None  # the seed whose files the run keeps

    @property
    def over(self) -> str:
        """The number of folds or seeds, in words."""
        return f"{self.count} {self.what}"


def read_repetitions(record: Record) -> Repetitions | None:
    """Returns the repetitions of a run; None if it trained once."""
    if (folds := record.folds) is not None:
        baselines = {name: scores["mean"] for name, scores in folds.get("baselines", {}).items()}
        return Repetitions("folds", len(folds["folds"]), "the folds", folds["mean"], folds["sd"], baselines)
    if (seeds := record.seeds) is not None:
        part = next(part for part in ("test", "validation", "train") if part in seeds)
        known: Mapping[str, Any] = seeds.get("baselines", {})
        baselines = {name: scores[part]["mean"] for name, scores in known.items()}
        first = seeds["runs"][0]["seed"]
        return Repetitions("seeds", len(seeds["runs"]), part, seeds[part]["mean"], seeds[part]["sd"], baselines, first)
    return None
