"""Implements `dltrain compare RUN…`, which compares settings, metrics and curves of runs and tests differences."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import string
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.base import plain_table
from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.base.plain_table import cell, say, setting
from dltrain.base.show import CsvOutput, show, show_json
from dltrain.record.curves import check_plot, curve_of, drawn_in_text, write_plot
from dltrain.record.listing import main_metric
from dltrain.record.record import Record
from dltrain.record.run_differences import commit_of, sections_of
from dltrain.verbs import Verb, argument

if TYPE_CHECKING:  # its tests need SciPy, which takes a second
    from dltrain.record.pairing import Comparison

DESCRIPTION = """\
Sets two or more runs side by side: the settings in which they differ, data (hash, rows), packages and git commit,
metrics, learning curves drawn over each other, and whether each differs from the first by more than noise, by one test
for each question:

  rows   McNemar's exact test (classes) or the paired bootstrap (labels and
         numbers; with --verbose for classes too) on the rows that both
         scored: of test where both have it, else of validation
  folds  the corrected resampled t test (Nadeau & Bengio 2003), where both
         were cross-validated on the same folds
  seeds  Wilcoxon's signed-rank test, where both were repeated over the same
         seeds

Where two runs share nothing to pair, it says that no test is valid, and why. With three runs and more the p values are
corrected for their number (Holm).
"""
EXAMPLES = """\
examples:
  dltrain compare outputs/2026-01-31/14-05-09_titanic_mlp other_run
  dltrain compare A B C --plot curves.svg
  dltrain compare A B --curve val_auc
  dltrain compare A B --json

exit codes: 0 done (whatever the tests say), 2 usage error or no such run.
"""
ALPHA = 0.05


def _run(given: argparse.Namespace) -> int:
    if not 2 <= len(given.runs) <= len(string.ascii_uppercase):
        raise ConfigError(f"dltrain compare takes 2 to {len(string.ascii_uppercase)} runs, got {len(given.runs)}.")
    if given.plot:
        check_plot(given.plot)
    from dltrain.record.pairing import compare

    runs = dict(zip(string.ascii_uppercase, map(Record, given.runs), strict=False))
    curve = _curve_name(runs, given.curve)
    first, *others = runs.values()
    comparisons = dict(
        zip(list(runs)[1:], (compare(first, other, every_test=given.verbose) for other in others), strict=True)
    )
    sections = sections_of(runs)
    if given.json:
        show_json(_as_json(runs, sections, comparisons))
    elif given.csv:
        writer = csv.writer(CsvOutput(), lineterminator="\n")
        writer.writerow(["section", "key", *(str(run.path) for run in runs.values())])
        writer.writerows([section, key, *values] for section, rows in sections.items() for key, values in rows.items())
    else:
        _show(runs, sections, comparisons, curve)
    if given.plot:
        _plot(given.plot, runs)
        show(f"curves  {given.plot}", file=sys.stderr if given.json or given.csv else sys.stdout)
    return 0


VERB = Verb(
    name="compare",
    summary="Sets runs side by side: settings, data, packages, metrics, curves, and whether they differ by more than "
    "noise.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument(
            "runs", metavar="RUN", nargs="+", help="run directories; the first is what the others are compared with"
        ),
        argument("--curve", metavar="NAME", help="column of history.csv to draw; default: val_loss"),
        argument("--plot", metavar="FILE", type=Path, help="write the curves to FILE.svg, .png or .pdf"),
        argument("--verbose", action="store_true", help="the other valid tests of the same questions too"),
        (
            argument("--json", action="store_true", help="everything as JSON"),
            argument("--csv", action="store_true", help="metrics and differing settings as CSV, a column a run"),
        ),
    ),
    function=_run,
)


def _curve_name(runs: Mapping[str, Record], wanted: str | None) -> str:
    names = dict.fromkeys(name for run in runs.values() for row in run.history[:1] for name in row if name != "epoch")
    if wanted and wanted not in names:
        raise ConfigError(f"--curve: no run has '{wanted}' in its history.csv.{did_you_mean(wanted, names)}")
    return wanted or ("val_loss" if "val_loss" in names else "loss")


def _as_json(
    runs: Mapping[str, Record], sections: Mapping[str, Any], comparisons: Mapping[str, Comparison]
) -> dict[str, Any]:
    corrected = _corrected(comparisons)
    tests = {
        letter: {
            "against": "A",
            "findings": [
                {"metric": found.metric, "on": found.on, **dataclasses.asdict(found.test), "p_value_holm": p_value}
                for found, p_value in zip(comparison.findings, corrected[letter], strict=True)
            ],
            "no_test": comparison.reasons,
        }
        for letter, comparison in comparisons.items()
    }
    named = {letter: {"run": str(run.path), "status": run.status} for letter, run in runs.items()}
    return {"runs": named, **sections, "tests": tests}


def _corrected(comparisons: Mapping[str, Comparison]) -> dict[str, list[float | None]]:
    """Corrects p values within each kind of test for the number of runs that are compared with the first."""
    from dltrain.scoring.significance import holm

    found: dict[str, list[float | None]] = {name: [None] * len(each.findings) for name, each in comparisons.items()}
    for test in dict.fromkeys(finding.test.name for each in comparisons.values() for finding in each.findings):
        places = [
            (letter, place, finding.test.p_value)
            for letter, each in comparisons.items()
            for place, finding in enumerate(each.findings)
            if finding.test.name == test and finding.test.p_value is not None
        ]
        for (letter, place, _), p_value in zip(places, holm([p_value for _, _, p_value in places]), strict=True):
            found[letter][place] = p_value
    return found


def _show(
    runs: Mapping[str, Record],
    sections: Mapping[str, Mapping[str, Sequence[Any]]],
    comparisons: Mapping[str, Comparison],
    curve: str,
) -> None:
    for letter, run in runs.items():
        show(f"{letter}  {cell(str(run.path))}" + ("" if run.status == "completed" else f"  ({cell(run.status)})"))
    same = {"settings": "no setting differs", "data": "same data", "packages": "same packages", "git": "same commit"}
    known = all(commit_of(run.facts.get("git")) for run in runs.values())
    equal = [text for name, text in same.items() if not sections[name] and (name != "git" or known)]
    if equal:
        show("\n" + ", ".join(equal))
    for name, rows in sections.items():
        if rows and name != "metrics":
            space = _space(rows, len(runs))
            lines = [[key, *(_short(setting(value), space) for value in values)] for key, values in rows.items()]
            show("", *plain_table.table([name, *runs], lines, width=plain_table.window()), sep="\n")
    _show_metrics(runs, sections["metrics"])
    curves = {letter: curve_of(run.history, curve) for letter, run in runs.items()}
    picture = drawn_in_text(curves, min(plain_table.window() or 80, 100))
    if picture:
        show(f"\n{curve}", *picture, sep="\n")
    _show_tests(comparisons)


def _space(rows: Mapping[str, Any], runs: int) -> int:
    """Returns how many characters of each run's values stand beside the keys."""
    width = plain_table.window()
    return 40 if width is None else min(40, max(12, (width - max(map(len, rows))) // runs - len(plain_table.GAP)))


def _short(text: str, space: int) -> str:
    return text if len(text) <= space else f"{text[: space - 1]}…"


def _show_metrics(runs: Mapping[str, Record], metrics: Mapping[str, Sequence[Any]]) -> None:
    header = ["metric", *runs]
    pair = len(runs) == 2
    rows = []
    for key, values in metrics.items():
        if all(value is None for value in values):
            continue
        row = [key, *map(cell, values)]
        if pair:
            counted = () if key in ("seconds", "best epoch") else values
            numbers = [value for value in counted if isinstance(value, (int, float))]
            row.append(f"{numbers[1] - numbers[0]:+.4f}" if len(numbers) == 2 else "")
        rows.append(row)
    header += ["B - A"] if pair else []
    show("", *plain_table.table(header, rows, header[1:], plain_table.window()), sep="\n")


def _show_tests(comparisons: Mapping[str, Comparison]) -> None:
    corrected = _corrected(comparisons)
    show("\nIs it more than noise?")
    for letter, comparison in comparisons.items():
        for finding, p_value in zip(comparison.findings, corrected[letter], strict=True):
            test = finding.test
            text = f"{letter} against A: {finding.metric} {test.difference:+.4f} on {finding.on}"
            if test.interval:
                text += f", 95 % interval {test.interval[0]:+.4f} to {test.interval[1]:+.4f}"
            note = f"; {test.note}" if test.note else ""
            if p_value is None:
                say(f"{text}: no p value ({test.name}{note}).")
            else:
                say(f"{text}, p = {p_value:.2g} ({test.name}{note}): {_verdict(p_value)}.")
        if not comparison.findings:
            say(f"{letter} against A: no test is valid.")
        for reason in comparison.reasons:
            say(f"{letter} against A: {cell(reason)}")
    if any(" rows" in finding.on for comparison in comparisons.values() for finding in comparison.findings):
        say("Tests on rows speak of these trained models; only folds or seeds speak of the settings.")
    tested = sum(bool(comparison.findings) for comparison in comparisons.values())
    if tested > 1:
        say(f"P values are corrected for {tested} comparisons (Holm).")


def _verdict(p_value: float) -> str:
    return "more than noise" if p_value < ALPHA else "noise alone may explain it"


def _plot(path: Path, runs: Mapping[str, Record]) -> None:
    histories = {f"{letter}: {run.path.name}": run.history for letter, run in runs.items()}
    if not any(histories.values()):
        raise ConfigError("--plot: none of the runs has finished an epoch, so there is no curve.")
    names = {name for rows in histories.values() for name in (rows[0] if rows else {})}
    metrics = ["loss", main_metric(name.removeprefix("val_") for name in names if name.startswith("val_")) or "loss"]
    write_plot(path, histories, list(dict.fromkeys(metrics)))
