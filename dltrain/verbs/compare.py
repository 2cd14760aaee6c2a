"""Implements `dltrain compare RUN…`, which compares settings, metrics and curves of runs and tests differences."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.api.comparison import RunComparison, compare
from dltrain.base import plain_table
from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.base.plain_table import cell, say, setting, signed
from dltrain.base.show import CsvOutput, show, show_json
from dltrain.record.curves import check_plot, curve_of, drawn_in_text, write_plot
from dltrain.record.listing import main_metric
from dltrain.record.record import Record
from dltrain.record.run_differences import commit_of
from dltrain.verbs import Verb, argument, run_of

DESCRIPTION = """\
Sets two or more runs side by side: the settings in which they differ, data (hash, rows), packages and git commit,
metrics, learning curves drawn over each other, and whether each differs from the first by more than noise, by one test
for each question:

  rows   McNemar's exact test (classes) or the paired bootstrap (labels and
         numbers; with --verbose for classes too; where rows have weights,
         for classes alone) on the rows that both scored: of test where
         both have it, else of validation
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


def _run(given: argparse.Namespace) -> int:
    if given.plot:
        check_plot(given.plot)
    found = compare(*map(run_of, given.runs), every_test=given.verbose)
    runs = found.records
    curve = _curve_name(runs, given.curve)
    if given.json:
        show_json(found.as_json())
    elif given.csv:
        writer = csv.writer(CsvOutput(), lineterminator="\n")
        writer.writerow(["section", "key", *(str(run.path) for run in runs.values())])
        rows = ((name, *each) for name, section in found.sections.items() for each in section.items())
        writer.writerows([section, key, *values] for section, key, values in rows)
    else:
        _show(found, curve)
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
            "runs",
            metavar="RUN",
            nargs="+",
            help="directories of runs or sweeps (their best job); the first one is compared with",
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


def _show(found: RunComparison, curve: str) -> None:
    runs, sections = found.records, found.sections
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
    # Losses of two tasks, such as cross-entropy and squared error, are different quantities.
    same_loss = not any(key.partition(".")[0] == "task" for key in sections["settings"])
    _show_metrics(runs, sections["metrics"], same_loss=same_loss)
    curves = {letter: curve_of(run.history, curve) for letter, run in runs.items()}
    picture = drawn_in_text(curves, min(plain_table.window() or 80, 100))
    if picture:
        show(f"\n{curve}", *picture, sep="\n")
    show("\nIs it more than noise?")
    for sentence in found.sentences:
        say(sentence)


def _space(rows: Mapping[str, Any], runs: int) -> int:
    """Returns how many characters of each run's values stand beside the keys."""
    width = plain_table.window()
    return 40 if width is None else min(40, max(12, (width - max(map(len, rows))) // runs - len(plain_table.GAP)))


def _short(text: str, space: int) -> str:
    return text if len(text) <= space else f"{text[: space - 1]}…"


def _show_metrics(runs: Mapping[str, Record], metrics: Mapping[str, Sequence[Any]], *, same_loss: bool) -> None:
    header = ["metric", *runs]
    pair = len(runs) == 2
    rows = []
    for key, values in metrics.items():
        if all(value is None for value in values):
            continue
        format_value = _duration if key == "seconds" else cell
        row = [key, *map(format_value, values)]
        if pair:
            counted = () if key in ("seconds", "best epoch") or (key.endswith(" loss") and not same_loss) else values
            numbers = [value for value in counted if isinstance(value, (int, float))]
            row.append(signed(numbers[1] - numbers[0]) if len(numbers) == 2 else "")
        rows.append(row)
    header += ["B - A"] if pair else []
    show("", *plain_table.table(header, rows, header[1:], plain_table.window()), sep="\n")


def _duration(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}"


def _plot(path: Path, runs: Mapping[str, Record]) -> None:
    histories = {f"{letter}: {run.path.name}": run.history for letter, run in runs.items()}
    if not any(histories.values()):
        raise ConfigError("--plot: none of the runs has finished an epoch, so there is no curve.")
    names = {name for rows in histories.values() for name in (rows[0] if rows else {})}
    metrics = ["loss", main_metric(name.removeprefix("val_") for name in names if name.startswith("val_")) or "loss"]
    write_plot(path, histories, list(dict.fromkeys(metrics)))
