"""Implements `dltrain report DIR`, which writes the report of a finished run or sweep again."""

from __future__ import annotations

import argparse
from pathlib import Path

from dltrain.base.show import show
from dltrain.verbs import TRUST, Verb, argument

EXAMPLES = """\
Everything is read from the files of the directory. Importance, mistakes and layers stand in insights.json, which a run
writes with its report; where it is missing, as in the jobs of a sweep, the data and the model are loaded for the first
two of them. The file opens from disk in any browser, without a network.

  dltrain report outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain report outputs/sweeps/2026-01-31/14-05-09_titanic
  dltrain report outputs/sweeps/2026-01-31/14-05-09_titanic/3
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.reports import write_report

    show(write_report(Path(given.directory), trust=given.trust, verb="report"))
    return 0


VERB = Verb(
    name="report",
    summary="The report of a finished run or sweep, made anew.",
    description="Writes report.html and plots/*.svg of a finished run or sweep.",
    examples=EXAMPLES,
    arguments=(argument("directory", metavar="DIR", help="directory of a completed run, or of a sweep"), TRUST),
    function=_run,
)
