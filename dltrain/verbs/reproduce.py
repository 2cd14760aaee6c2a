"""Implements `dltrain reproduce RUN`, which repeats a run from its record and compares the results."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.lock import unlock
from dltrain.base.show import show, show_json
from dltrain.record.listing import SWEEPS
from dltrain.record.record import Record
from dltrain.record.reproduction import Change, differences
from dltrain.record.run_directory import claim, finite
from dltrain.record.winner import ENSEMBLE, has_ensemble
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Runs a completed run again, from its own record and into a directory of its own, and compares the two: data, config,
packages, git commit, history, metrics and predictions. Of each column that differs it tells the largest absolute
difference. Other packages or another commit are told, and are no failure by themselves. Of the ensemble of a
search=best, or of that search itself, the members are trained again, without a clock, and averaged.
"""

EXAMPLES = """\
examples:
  dltrain reproduce outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain reproduce RUN --output again --json

exit codes: 0 the same to the last digit, 1 something differs or the run failed, 2 usage or data error, 130 interrupted,
143 terminated
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.rerun import repeat

    before = Record(Path(given.run) / ENSEMBLE if has_ensemble(Path(given.run)) else given.run)
    status = before.facts.get("status")
    if status != "completed":
        raise ConfigError(f"'{before.path}' has the status {status}: only a completed run can be reproduced.")
    if changed := {str(each["key"]) for each in before.facts.get("changes", [])} - {"trainer.epochs"}:
        show(
            f"warning: {', '.join(sorted(changed))} changed while the run was trained (run.json, changes): it is "
            "repeated with the last settings from its start.",
            file=sys.stderr,
        )
    beside = before.path.resolve()
    if any((beside.parent / name).exists() for name in SWEEPS):  # the directory of a sweep holds only its jobs
        beside = beside.parent.with_name(f"{beside.parent.name}_{beside.name}")
    directory = given.output or beside.with_name(f"{beside.name}_reproduced")
    claimed = claim(directory, key="--output", chosen=given.output is not None)
    try:
        # Only JSON goes to the standard output; the messages of the run go to the standard error.
        with contextlib.redirect_stdout(sys.stderr) if given.json else contextlib.nullcontext():
            repeat(before, claimed.path)
    finally:
        unlock(claimed.path)
        claimed.release()
    found = differences(before, Record(claimed.path))
    same = not any(each.matters for each in found)
    if given.json:
        show_json(_as_json(before.path, claimed.path, found, same))
    else:
        for each in found:
            show(f"{each.where}: {each.name} {each.sentence}")
        show("identical: " if same else "different: ", end="")
        show("data, config, history, metrics and predictions" if same else f"see {claimed.path}")
    return 0 if same else 1


VERB = Verb(
    name="reproduce",
    summary="Repeats a run from its own record and says whether the same came out.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="the run's directory"),
        argument(
            "--output",
            metavar="DIR",
            type=Path,
            help="where to; by default beside it, or beside its sweep: RUN_reproduced",
        ),
        argument("--json", action="store_true", help="print the differences as JSON"),
    ),
    function=_run,
)


def _as_json(before: Path, after: Path, found: list[Change], same: bool) -> dict[str, object]:
    rows = finite([dataclasses.asdict(each) for each in found])
    return {"identical": same, "run": str(before), "reproduced": str(after), "differences": rows}
