"""Implements `dltrain resume DIR`, which continues an interrupted run or sweep, or trains a finished run for longer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.show import show
from dltrain.record.config_changes import ALLOWED
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Goes on with a run that was interrupted, terminated, killed or that failed, in its own directory and with its own
settings. It ends with the same weights, history and predictions as if it had never stopped. A finished run is trained
for longer with trainer.epochs=N; one that was killed before it wrote its report gets it. Other settings than the run
began with, written into its config.yaml, are refused, or taken up with --with-changes; run.json then lists from which
epoch on they count.

A sweep goes on with the jobs that are left; --retry-failed repeats those that failed, extend=true adds jobs to it.
"""

EXAMPLES = """\
examples:
  dltrain resume outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain resume outputs/2026-01-31/14-05-09_titanic_mlp trainer.epochs=500
  dltrain resume outputs/sweeps/2026-01-31/14-05-09_titanic --retry-failed

exit codes: 0 done or nothing left to do, 1 the run failed, 2 usage, or the data has changed, 130 interrupted, 143
terminated
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.rerun import resume_sweep
    from dltrain.api.resume import resume_run, write_missing_reports
    from dltrain.sweeps.start import is_sweep

    if is_sweep(Path(given.run)):
        if given.with_changes:
            raise ConfigError("--with-changes has no effect on a sweep: name the directory of a single run.")
        sweep = Path(given.run).resolve()  # the sweep goes on in the folder where it was started
        code = resume_sweep(sweep, given.overrides)
        if code in (0, 1):
            write_missing_reports(sweep, show)
        return code
    facts = Path(given.run) / "run.json"
    before = facts.stat().st_mtime_ns if facts.exists() else None
    try:
        resume_run(
            given.run,
            given.overrides,
            with_changes=given.with_changes,
            note=show,
            warn=lambda text: show(f"warning: {text}", file=sys.stderr),
        )
    except KeyboardInterrupt:
        if not facts.exists() or facts.stat().st_mtime_ns == before:
            raise
        return 130  # the run went on, and has told how far it got
    return 0


VERB = Verb(
    name="resume",
    summary="Goes on with a run that was cut off, or trains a finished one for longer.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="the directory of a run or a sweep"),
        argument(
            "overrides",
            nargs="*",
            default=[],
            metavar="KEY=VALUE",
            help=f"of a run: one of {', '.join(ALLOWED)}; of a sweep: any",
        ),
        argument(
            "--with-changes", action="store_true", help="take up what was changed in config.yaml since the run began"
        ),
    ),
    function=_run,
)
