"""Implements `dltrain doctor`, which looks for what is wrong outside of dltrain."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dltrain.base.show import show, show_json
from dltrain.verbs import Verb, argument

if TYPE_CHECKING:
    from dltrain.base.outcome import Outcome

DESCRIPTION = """\
Looks at what dltrain runs in: Python and the packages, other packages that write into the same folders, the GPU, disk
space, the folder of downloads, and the encoding of the terminal. It says what is wrong, why, and one cure each. It
changes nothing.
"""
EXAMPLES = """\
examples:
  dltrain doctor
  dltrain doctor --json

exit codes: 0 nothing is wrong, 1 something is.
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.base.outcome import FAILED

    found = []
    for each in outcomes():
        found.append(each)
        if not given.json:
            _show(each)
    failed = any(each.status == FAILED for each in found)
    if given.json:
        checks = [
            {"name": each.name, "status": each.status, "found": each.text, "cure": next(iter(each.tries), None)}
            for each in found
        ]
        show_json({"passed": not failed, "checks": checks})
    return int(failed)


VERB = Verb(
    name="doctor",
    summary="Looks for what is wrong outside of dltrain: Python, packages, GPU, disk, terminal.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(argument("--json", action="store_true", help="everything as JSON"),),
    function=_run,
)


def outcomes() -> Iterator[Outcome]:
    """Yields what was found, what needs TensorFlow last."""
    from dltrain.surroundings.checks import check_tensorflow, first_checks
    from dltrain.surroundings.facts import ask_tensorflow, gather

    facts = gather()
    yield from first_checks(facts)
    yield check_tensorflow(facts, ask_tensorflow())


def _show(outcome: Outcome) -> None:
    from dltrain.base.plain_table import say

    mark = {"fine": "fine  ", "look": "look  ", "failed": "wrong "}[outcome.status]
    say(f"{mark} {outcome.name:<10} {outcome.text}", indent=18)
    for cure in outcome.tries:
        show(f"       cure       {cure}", flush=True)
