"""Implements `dltrain evaluate RUN`, which scores a run's model on rows with their target, also by group."""

from __future__ import annotations

import argparse
import csv
import sys
from typing import Any

from dltrain.base.plain_table import number
from dltrain.base.printable import printable_line
from dltrain.base.show import CsvOutput, show, show_json
from dltrain.verbs import TRUST, Verb, argument, run_of

EXAMPLES = """\
Without --data the run's own test part is scored; the data is loaded again for it and must be unchanged. Each scoring is
recorded in run.json with a hash of the rows, and rows that the run was trained on are told. Intervals are those of
dltrain's runs: Wilson's for an accuracy, the bootstrap's percentiles for the rest, for this model alone.

examples:
  dltrain evaluate outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain evaluate outputs/2026-01-31/14-05-09_titanic_mlp --by sex
  dltrain evaluate RUN --data next_year.csv --by pclass --json

exit codes: 0 done, 1 an answer is not finite, 2 usage or data error, 130 interrupted
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.finished_run import load_for

    model = load_for("evaluate", run_of(given.run), trust=given.trust)
    from dltrain.api.evaluation import evaluate

    evaluation = evaluate(model, given.data, given.by, file_format=given.input_format)
    if given.json:
        show_json(evaluation.as_json())
    elif given.csv:
        rows = evaluation.as_table()
        writer = csv.DictWriter(CsvOutput(), list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    else:
        _show(evaluation)
        return 0
    for note in evaluation.notes:
        show(note, file=sys.stderr)
    return 0


VERB = Verb(
    name="evaluate",
    summary="A run's model on rows with their target, also group by group.",
    description="All metrics of a finished run on rows with their target, with 95 % intervals.",
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="directory of a completed run, or of a sweep, whose best job is taken"),
        TRUST,
        argument("--data", metavar="F", help="file with the columns and the target, as for dltrain predict"),
        argument(
            "--input-format",
            metavar="FORMAT",
            choices=("csv", "tsv", "parquet", "feather", "excel", "arff", "jsonl", "text", "images"),
            help="of --data: %(choices)s; by its suffix and content if not given",
        ),
        argument("--by", metavar="COLUMN", help="the metrics of each group of this column too"),
        (
            argument("--json", action="store_true", help="the result as JSON"),
            argument("--csv", action="store_true", help="a row for each group and metric"),
        ),
    ),
    function=_run,
)


def _show(evaluation: Any) -> None:
    from dltrain.base.console import show_sentence, show_table, standard_output

    console = standard_output()
    header = [*([evaluation.by] if evaluation.by else []), "rows", "metric", "value", "95 % interval"]
    rows = []
    for row in evaluation.as_table():
        interval = "" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"
        cells = [f"{row['rows']:,}", row["metric"], number(row["value"]), interval]
        rows.append([*([row["group"] or "(all)"] if evaluation.by else []), *cells])
    show_table(console, header, rows, ("rows", "value", "95 % interval"))
    for note in evaluation.notes:
        show_sentence(console, printable_line(note))
