"""Implements `dltrain check [overrides]`, which examines a network before a long training."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from dltrain.base.plain_table import say
from dltrain.base.show import show_json
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Looks the network of a config over before it is trained for long: the checks of the data, the loss at initialization
against its expected value, activations and gradients by layer, dead units, numeric against automatic gradients in
double precision, whether one batch can be learned by heart, a range test that suggests a learning rate, and the time
that batches of each size take. It reads train rows only and writes nothing. What is of the training alone is left out:
a schedule, callbacks, cv, seeds, search, strategy, tracking.
"""
EXAMPLES = """\
The relative error of a gradient is right below 1e-7, good below 1e-5, doubtful below 1e-3 and wrong above.

examples:
  dltrain check dataset=titanic
  dltrain check dataset=wine initializer=too_large
  dltrain check dataset=titanic 'model.units=[512,512]' --details
  dltrain check --config-dir my_conf model=wide --json

exit codes: 0 no check failed, 1 one did, 2 a fault in the overrides or in the data.
"""
MARKS = {"fine": ("fine", "green"), "look": ("look", "yellow"), "failed": ("failed", "red")}


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.choose_model import settle
    from dltrain.config.compose import Composer

    composer = Composer(extra_directory=given.config_dir)
    settled = settle(composer, given.overrides)
    config, given.overrides = composer.compose(settled.overrides), settled.overrides
    if settled.sentence and not given.json:
        say(settled.sentence)
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.checkup.checkup import check_up, failed

    done = []
    for timed in check_up(config, given.overrides):
        done.append(timed)
        if not given.json and sys.stderr.isatty():
            sys.stderr.write(f"\r{timed.outcome.name} …\033[K")
            sys.stderr.flush()
    if sys.stderr.isatty() and not given.json:
        sys.stderr.write("\r\033[K")
    if given.json:
        content = {"passed": not failed(done), "checks": [timed.as_json() for timed in done]}
        show_json(content)
    else:
        _show(done, given.overrides, details=given.details)
    return int(failed(done))


VERB = Verb(
    name="check",
    summary="Looks a network over before it is trained for long.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("overrides", metavar="OVERRIDE", nargs="*", default=[], help="as one would type them for a run"),
        argument("--config-dir", metavar="DIR", type=Path, help="a folder of options that is searched as well"),
        argument("--details", action="store_true", help="each layer, learning rate and batch size too"),
        argument("--json", action="store_true", help="everything as JSON"),
    ),
    function=_run,
)


def _show(done: list[Any], overrides: list[str], *, details: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from dltrain.base.console import show_table, standard_output
    from dltrain.base.plain_table import cell
    from dltrain.base.printable import printable
    from dltrain.report.remedies import command

    console = standard_output()
    table = Table(box=None, pad_edge=False)
    table.add_column("check", style="bold", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("s", justify="right", no_wrap=True)
    for timed in done:
        outcome = timed.outcome
        table.add_row(outcome.name, Text(*MARKS[outcome.status]), Text(printable(outcome.text)), f"{timed.seconds:.1f}")
    console.print(table)
    for outcome in (timed.outcome for timed in done):
        if details and outcome.details:
            rows = [[cell(value) for value in each.values()] for each in outcome.details]
            console.print(f"\n[bold]{outcome.name}[/bold]")
            show_table(console, [name.replace("_", " ") for name in outcome.details[0]], rows)
    tries = dict.fromkeys(words for timed in done if timed.outcome.status != "fine" for words in timed.outcome.tries)
    if tries:
        console.print("\n[bold]worth a try[/bold]")
    for words in tries:
        console.print(Text(f"  {command(overrides, [words], 'check')}"), soft_wrap=True)
