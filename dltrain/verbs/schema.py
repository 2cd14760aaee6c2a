"""Implements `dltrain schema`, which prints a JSON Schema with which an editor completes and checks YAML files."""

from __future__ import annotations

import argparse
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.show import show_json
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Prints a JSON Schema of experiments and options: groups, keys, the parameters of each class with type and range, and the
comments of the YAML files. An editor that knows YAML completes and underlines by it; the first line of a file names it:
# yaml-language-server: $schema=schema.json
"""
EXAMPLES = """\
examples:
  dltrain schema > schema.json
  dltrain schema --config-dir conf > schema.json
  check-jsonschema --schemafile schema.json conf/experiment/mine.yaml

exit codes: 0 done, 2 usage error.
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.config.json_schema import shipped_with

    extra: Path | None = given.config_dir
    if extra is not None and not extra.is_dir():
        raise ConfigError(f"--config-dir: expected a folder, and there is none at '{extra}'.")
    show_json(shipped_with(extra))
    return 0


VERB = Verb(
    name="schema",
    summary="Prints a JSON Schema of the YAML files, with which an editor completes and checks them.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("--config-dir", metavar="DIR", type=Path, help="a folder of options that are described as well"),
    ),
    function=_run,
)
