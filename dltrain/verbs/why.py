"""Implements `dltrain why KEY`, which tells what set a key or chose an option, and what it replaced."""

from __future__ import annotations

import argparse
import csv
import dataclasses
from pathlib import Path

from dltrain.api.choose_model import settle
from dltrain.base import plain_table
from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import say, setting
from dltrain.base.show import CsvOutput, show, show_json
from dltrain.config.compose import Composer
from dltrain.config.origins import Explained, explain
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Tells why a key has its value: every YAML file (with its line) and every override that set it, in the order in which
they are applied, so that the last one wins, and what chose the file. With the name of a group it tells who chose the
option. Nothing is trained.
"""
EXAMPLES = """\
examples:
  dltrain why optimizer.learning_rate
  dltrain why optimizer.learning_rate optimizer=sgd optimizer.learning_rate=0.1
  dltrain why regularizer experiment=course_mlp
  dltrain why model.units experiment=smoke --json
  dltrain why trainer.epochs --config-dir conf experiment=mine

exit codes: 0 done, 2 no such key, or a fault in the overrides.
"""


def _run(given: argparse.Namespace) -> int:
    given.key = given.key.removesuffix("=")  # which shell completion adds
    if "=" in given.key:
        key = given.key.lstrip("+~").partition("=")[0]
        raise ConfigError(f"'{given.key}' is not a key. Name the key first: dltrain why {key} {given.key}")
    composer = Composer(extra_directory=given.config_dir)
    settled = settle(composer, given.overrides)
    found = explain(composer, given.key, settled.overrides)
    chain = [dataclasses.asdict(origin) for origin in found.chain]
    if given.json:
        answer = {"key": found.key, "value": found.value, "chain": chain, "refers_to": found.refers_to}
        show_json(answer)
    elif given.csv:
        writer = csv.DictWriter(CsvOutput(), ["source", "line", "value", "reason"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(chain)
    else:
        _show(found)
        if settled.sentence:
            say(f"model=auto stands for {settled.overrides[0]}, as if on the command line: {settled.sentence}.")
    return 0


VERB = Verb(
    name="why",
    summary="Tells which file or override set a key or chose an option, and what it replaced.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("key", metavar="KEY", help="such as optimizer.learning_rate, or a group such as optimizer"),
        argument("overrides", metavar="OVERRIDE", nargs="*", default=[], help="as one would type them for a run"),
        argument("--config-dir", metavar="DIR", type=Path, help="a folder of options that is searched as well"),
        (
            argument("--json", action="store_true", help="as JSON"),
            argument("--csv", action="store_true", help="the chain as CSV"),
        ),
    ),
    function=_run,
)


def _show(found: Explained) -> None:
    is_mapping = isinstance(found.value, dict)
    removed = found.value is None and found.chain[-1].value == "(removed)"
    missing = found.chain[-1].value == "???"
    value = "removed" if removed else "awaits a value" if missing else setting(found.value)
    show(f"{found.key}: {'{…}, set by' if is_mapping else value}")
    rows = []
    for place, origin in enumerate(found.chain):
        last = place == len(found.chain) - 1
        word = "also" if is_mapping else "wins" if last else "replaced"
        rows.append([word, setting(origin.value), origin.place, f"since {origin.reason}" if origin.reason else ""])
    lines = plain_table.table(["", "value", "where", ""], rows)[1:]
    width = plain_table.window()
    if width is not None and max(map(len, lines)) > width:
        short = plain_table.table(["", "", ""], [row[:3] for row in rows])[1:]
        lines = [f"{line}\n      {row[3]}" if row[3] else line for line, row in zip(short, rows, strict=True)]
    show("\n".join(f"  {line}" for line in lines))
    for key in found.refers_to:
        show(f"It follows another key: dltrain why {key}")
