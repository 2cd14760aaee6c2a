"""Compares runs: in what they differ, and whether that is more than noise."""

from __future__ import annotations

import dataclasses
import functools
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import cell, signed
from dltrain.record.record import Record
from dltrain.record.run_differences import sections_of

if TYPE_CHECKING:  # its tests need SciPy, which takes a second
    import pandas as pd

    from dltrain.api.run import Run
    from dltrain.record.pairing import Comparison

ALPHA = 0.05


@dataclass(frozen=True)
class RunComparison:
    """Two or more runs side by side; each is tested against the first."""

    records: Mapping[str, Record]  # by a letter, from A
    sections: Mapping[str, Mapping[str, Sequence[Any]]]  # as `sections_of` returns them
    tested: Mapping[str, Comparison]  # of each run but the first, by its letter

    @property
    def settings(self) -> pd.DataFrame:
        """The settings in which the runs differ: a row for each key, a column for each run."""
        return self._table("settings")

    @property
    def metrics(self) -> pd.DataFrame:
        """A row for each part and metric, a column for each run."""
        return self._table("metrics")

    def _table(self, section: str) -> pd.DataFrame:
        import pandas as pd

        rows = self.sections[section]
        return pd.DataFrame(list(rows.values()), index=list(rows), columns=list(self.records))

    @functools.cached_property
    def corrected(self) -> dict[str, list[float | None]]:
        """P values, corrected within each kind of test for the number of runs that are compared with the first."""
        from dltrain.scoring.significance import holm

        found: dict[str, list[float | None]] = {name: [None] * len(each.findings) for name, each in self.tested.items()}
        for test in dict.fromkeys(finding.test.name for each in self.tested.values() for finding in each.findings):
            places = [
                (letter, place, finding.test.p_value)
                for letter, each in self.tested.items()
                for place, finding in enumerate(each.findings)
                if finding.test.name == test and finding.test.p_value is not None
            ]
            for (letter, place, _), p_value in zip(places, holm([p_value for _, _, p_value in places]), strict=True):
                found[letter][place] = p_value
        return found

    @property
    def sentences(self) -> list[str]:
        """Sentences that say whether the runs differ by more than noise, or why no test is valid."""
        said = []
        for letter, comparison in self.tested.items():
            for finding, p_value in zip(comparison.findings, self.corrected[letter], strict=True):
                test = finding.test
                text = f"{letter} against A: {finding.metric} {signed(test.difference)} on {finding.on}"
                if test.interval:
                    text += f", 95 % interval {signed(test.interval[0])} to {signed(test.interval[1])}"
                note = f"; {test.note}" if test.note else ""
                if p_value is None:
                    said.append(f"{text}: no p value ({test.name}{note}).")
                else:
                    said.append(f"{text}, p = {p_value:.2g} ({test.name}{note}): {_verdict(p_value)}.")
            if not comparison.findings:
                said.append(f"{letter} against A: no test is valid.")
            said += [f"{letter} against A: {cell(reason)}" for reason in comparison.reasons]
        if any(" rows" in finding.on for comparison in self.tested.values() for finding in comparison.findings):
            said.append("Tests on rows speak of these trained models; only folds or seeds speak of the settings.")
        tested = sum(bool(comparison.findings) for comparison in self.tested.values())
        if tested > 1:
            said.append(f"P values are corrected for {tested} comparisons (Holm).")
        return said

    def as_json(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        tests = {
            letter: {
                "against": "A",
                "findings": [
                    {"metric": found.metric, "on": found.on, **dataclasses.asdict(found.test), "p_value_holm": p_value}
                    for found, p_value in zip(comparison.findings, self.corrected[letter], strict=True)
                ],
                "no_test": comparison.reasons,
            }
            for letter, comparison in self.tested.items()
        }
        named = {letter: {"run": str(run.path), "status": run.status} for letter, run in self.records.items()}
        return {"runs": named, **self.sections, "tests": tests}

    def _repr_html_(self) -> str:
        from dltrain.api.card import card

        named = " · ".join(f"{letter}: {record.path.name}" for letter, record in self.records.items())
        return card("Comparison", named, self.sentences, [self.settings, self.metrics])

    def __repr__(self) -> str:
        tables = [table.to_string(na_rep="") for table in (self.settings, self.metrics) if len(table)]
        named = [f"{letter}  {record.path}" for letter, record in self.records.items()]
        return "\n".join([*named, *tables, *self.sentences])


def compare(*runs: Run | str | Path, every_test: bool = False) -> RunComparison:
    """Compares two or more runs, which may be directories: settings, metrics, and tests against the first.

    With `every_test` questions are answered by the other valid tests too.

    >>> found = dltrain.compare("outputs/wine", "outputs/other")
    >>> list(found.settings.index)
    ['optimizer']

    Raises:
        ConfigError: If there are fewer than two runs, or a directory holds none.
    """
    if not 2 <= len(runs) <= len(string.ascii_uppercase):
        raise ConfigError(f"A comparison takes 2 to {len(string.ascii_uppercase)} runs, got {len(runs)}.")
    from dltrain.record.pairing import compare as compare_pair

    found = [Record(run if isinstance(run, (str, Path)) else run.directory) for run in runs]
    records = dict(zip(string.ascii_uppercase, found, strict=False))
    first, *others = records.values()
    pairs = [compare_pair(first, other, every_test=every_test) for other in others]
    return RunComparison(records, sections_of(records), dict(zip(list(records)[1:], pairs, strict=True)))


def _verdict(p_value: float) -> str:
    return "more than noise" if p_value < ALPHA else "noise alone may explain it"
