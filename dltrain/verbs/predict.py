"""Implements `dltrain predict RUN --input F`, which predicts any number of new rows."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator
from typing import Any

from dltrain.base.errors import ConfigError
from dltrain.base.show import show
from dltrain.verbs import TRUST, Verb, argument, run_of

EXAMPLES = """\
The input is CSV, TSV, Parquet, Feather, Excel, ARFF or JSON lines with the columns of the training data, a text file
or an image, a folder or archive (.zip, .tar, .tar.gz) of them, or - for standard input; .gz and a zip of one table are
read too. What a folder has beside is skipped and named; an image that cannot be read has an empty prediction. The
target may be there or not. A column that the model takes has to be there; others are ignored. A category that the
train rows did not have counts as unknown.
Cells of a CSV that a spreadsheet would take for a formula get an apostrophe in front; on standard output, control
characters stand as escapes such as \\x1b.

examples:
  dltrain predict outputs/2026-01-31/14-05-09_titanic_mlp --input passengers.csv
  dltrain predict RUN --input new.parquet --output answers.parquet
  cat new.jsonl | dltrain predict RUN --input - --format jsonl

exit codes: 0 done, 1 an answer is not finite, 2 usage or data error, 130 interrupted
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.finished_run import load_for

    model = load_for("predict", run_of(given.run), trust=given.trust)
    from dltrain.inference.prefetch import prefetch
    from dltrain.inference.row_inputs import RowInputs
    from dltrain.inference.write_predictions import choose_format, write_tables

    blocks = model.read(given.input, given.input_format)
    row_inputs = RowInputs(model.signature)
    tables = prefetch(_tables(model, prefetch(blocks), row_inputs, given.id_column))
    first = next(tables)  # so that a fault of the first rows leaves no empty file
    write_tables(
        itertools.chain([first], tables),
        None if given.output in (None, "-") else given.output,
        choose_format(given.output, given.format),
    )
    for note in row_inputs.notes():
        show(note, file=sys.stderr)
    if given.output not in (None, "-"):
        show(f"{row_inputs.rows:,} rows predicted: {given.output}", file=sys.stderr)
    return 0


VERB = Verb(
    name="predict",
    summary="New rows through a run's model, as many as there are.",
    description="Predictions of a finished run for new rows: a row each, with class names and probabilities.",
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="directory of a completed run, or of a sweep, whose best job is taken"),
        TRUST,
        argument("--input", required=True, metavar="F", help="file, folder, or - for standard input"),
        argument("--output", metavar="F", help="file to write; standard output if not given"),
        argument(
            "--format", choices=("csv", "parquet", "jsonl"), help="of the output; by its suffix if not given, else csv"
        ),
        argument(
            "--input-format",
            metavar="FORMAT",
            choices=("csv", "tsv", "parquet", "feather", "excel", "arff", "jsonl", "text", "images"),
            help="of the input: %(choices)s; by its suffix and content if not given",
        ),
        argument(
            "--id-column",
            metavar="NAME",
            help="column that names the rows; else that of the run, else their numbers from 0",
        ),
    ),
    function=_run,
)


def _tables(model: Any, blocks: Any, row_inputs: Any, id_column: str | None) -> Iterator[Any]:
    """Yields Arrow tables of row ids and predictions."""
    import numpy as np
    import pyarrow as pa

    from dltrain.base.errors import did_you_mean

    own = model.signature.reading.get("id_column")
    for block, answers in model.answered(blocks, row_inputs):
        if id_column is not None and id_column not in block.columns:
            raise ConfigError(
                f"--id-column {id_column}: {block.origin} has no such column.{did_you_mean(id_column, block.columns)}"
            )
        named_by = id_column or (own if own in block.columns else None)
        if named_by is not None:
            ids = block.columns[named_by]
        elif block.names is not None:
            ids = pa.array(block.names)
        else:
            ids = pa.array(np.arange(block.first, block.first + len(block)))
        kind = pa.int64() if model.signature.kind.labels else pa.string()
        columns = {
            name: pa.array(cells, kind if cells.dtype == object else None, from_pandas=True)
            for name, cells in model.name(answers).items()
        }
        yield pa.table({"row_id": ids, **columns})
