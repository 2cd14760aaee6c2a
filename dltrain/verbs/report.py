"""Implements `dltrain report DIR`, which writes the report of a finished run or sweep again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.base.show import show
from dltrain.verbs import Verb, argument

if TYPE_CHECKING:  # imported where it is used, since all verbs are described at once
    from dltrain.record.record import Record

EXAMPLES = """\
Everything is read from the files of the directory. Importance, mistakes and layers stand in insights.json, which a run
writes with its report; where it is missing, as in the jobs of a sweep, the data and the model are loaded for the first
two of them. The file opens from disk in any browser, without a network.

  dltrain report outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain report outputs/sweeps/2026-01-31/14-05-09_titanic
  dltrain report outputs/sweeps/2026-01-31/14-05-09_titanic/3
"""


def _run(given: argparse.Namespace) -> int:
    directory = Path(given.directory)
    if not (directory / "run.json").exists() and (directory / "sweep.jsonl").exists():
        from dltrain.report.sweep import write_sweep_report

        show(write_sweep_report(directory))
        return 0

    from dltrain.record.record import Record

    show(make_report(Record(given.directory)))
    return 0


def make_report(record: Record) -> Path:
    """Writes the report of a completed run, and insights.json where it is missing; returns the path of report.html."""
    from dltrain.record.signature import Signature
    from dltrain.report import INSIGHTS

    Signature.of(record)
    if record.metrics and record.folds is None and not (record.path / INSIGHTS).exists():
        from dltrain.internals import tensorflow_quietly

        tensorflow_quietly.load()
        from dltrain.report.rebuild_insights import write_insights

        write_insights(record)
    from dltrain.report.report import write_report

    return write_report(record.path)


VERB = Verb(
    name="report",
    summary="The report of a finished run or sweep, made anew.",
    description="Writes report.html and plots/*.svg of a finished run or sweep.",
    examples=EXAMPLES,
    arguments=(argument("directory", metavar="DIR", help="directory of a completed run, or of a sweep"),),
    function=_run,
)
