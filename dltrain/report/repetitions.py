"""Reads what the folds or seeds of a run reach together, which its report tells first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dltrain.base.plain_table import number
from dltrain.record.record import Record
from dltrain.report.score_sections import Table

Values = Mapping[str, float | None]


@dataclass(frozen=True)
class Repetitions:
    """The scores of a run over its folds or seeds, by metric."""

    what: str  # folds or seeds
    part: str  # the part that they were scored on, in words
    each: Mapping[str, Mapping[str, Any]]  # the scores of every fold or seed by its number, with its rows and epochs
    mean: Values
    deviation: Values  # standard deviations of the sample
    interval: Mapping[str, Sequence[float] | None]  # the 95 % intervals of the mean; of folds there are none
    baselines: Mapping[str, Mapping[str, Values]]  # `mean` and `sd` of each baseline; older runs have none over seeds
    # The history of each fold or seed by its number
    histories: Mapping[str, Sequence[Mapping[str, float]]]

    @property
    def over(self) -> str:
        """The number of folds or seeds, in words."""
        return f"{len(self.each)} {self.what}"

    @property
    def first(self) -> str | None:
        """The seed whose files the run keeps; None for folds."""
        return next(iter(self.each)) if self.what == "seeds" else None

    def baseline_means(self, metric: str) -> dict[str, float | None]:
        """Returns the mean of each baseline that has this metric."""
        return {name: spread["mean"][metric] for name, spread in self.baselines.items() if metric in spread["mean"]}

    def table(self) -> Table:
        """Returns the scores of each fold or seed, their mean and standard deviation, and those of the baselines."""
        names = list(self.mean)
        with_rows = ["rows"] if self.what == "folds" else []
        blank = [""] * (len(with_rows) + 1)

        def both(spread: Mapping[str, Values]) -> list[str]:
            mean, deviations = spread["mean"], spread.get("sd", {})
            known = {name: number(mean[name]) for name in names if name in mean}
            return [
                f"{known[name]} ± {number(deviations[name])}" if name in deviations else known.get(name, "")
                for name in names
            ]

        rows: list[list[Any]] = [
            [
                place,
                *(f"{own['rows']:,}" for _ in with_rows),
                own.get("best_epoch", ""),
                *(number(own.get(n)) for n in names),
            ]
            for place, own in self.each.items()
        ]
        rows.append(["mean ± sd", *blank, *both({"mean": self.mean, "sd": self.deviation})])
        if self.interval:
            between = (" to ".join(map(number, self.interval.get(name) or ())) for name in names)
            rows.append(["95 % interval of the mean", *blank, *between])
        rows += [[f"{name} (baseline)", *blank, *both(spread)] for name, spread in self.baselines.items()]
        return [self.what[:-1], *with_rows, "best epoch", *names], rows


def read_repetitions(record: Record) -> Repetitions | None:
    """Returns the repetitions of a run; None if it trained once."""
    if (folds := record.folds) is not None:
        what, part, spread, baselines = "folds", "the folds", folds, folds.get("baselines", {})
    elif (seeds := record.seeds) is not None:
        what, part = "seeds", next(part for part in ("test", "validation", "train") if part in seeds)
        spread, baselines = seeds[part], {name: own[part] for name, own in seeds.get("baselines", {}).items()}
    else:
        return None
    return Repetitions(
        what=what,
        part=part,
        each=record.repeats(part)[what],
        mean=spread["mean"],
        deviation=spread["sd"],
        interval=spread.get("interval") or {},
        baselines=baselines,
        histories={
            name.partition(" ")[2]: history
            for name, history in record.histories.items()
            if name.startswith(f"{what[:-1]} ")
        },
    )
