"""Implements `dltrain init NAME`, which writes a small project with options, a callback and made-up data."""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import shutil
from pathlib import Path

from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import say
from dltrain.base.show import show
from dltrain.verbs import Verb, argument

DESCRIPTION = """\
Writes a folder with a dataset, an experiment and a callback of your own, a small table of made-up data, a README and a
schema by which an editor completes and checks the YAML files, ready to run. Nothing that exists is overwritten.
"""
EXAMPLES = """\
examples:
  dltrain init students
  cd students && dltrain --config-dir conf experiment=mine

exit codes: 0 done, 2 usage error, or something is there already.
"""
TEMPLATE = Path(__file__).with_name("project")
ROWS = 240


def _run(given: argparse.Namespace) -> int:
    from dltrain.config.json_schema import shipped_with

    folder: Path = given.name
    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise ConfigError(f"'{folder}' exists already and is not overwritten. Choose another name.")
        shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        _write_students(folder / "data" / "mine.csv")
        (folder / "schema.json").write_text(json.dumps(shipped_with(folder / "conf")), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"'{error.filename or folder}' cannot be written: {error.strerror}.") from error
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        show(path)
    say("The data are made up. Now type:")
    show(f"  cd {folder} && dltrain --config-dir conf experiment=mine")
    return 0


VERB = Verb(
    name="init",
    summary="Writes a small project of your own: options, a callback and made-up data, ready to run.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("name", metavar="NAME", type=Path, help="the folder to write; it must not exist, or be empty"),
    ),
    function=_run,
)


def _write_students(path: Path) -> None:
    """Writes a table in which the chance to pass grows with study and sleep; the rows are the same every time."""
    dice = random.Random(42)
    path.parent.mkdir(parents=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["hours_of_study", "hours_of_sleep", "course", "passed"])
        for _ in range(ROWS):
            study, sleep = dice.uniform(0, 20), dice.gauss(7, 1.2)
            course = dice.choice(["biology", "history", "physics"])
            chance = 1 / (1 + math.exp(-(0.4 * (study - 9) + 0.6 * (sleep - 7) - (course == "physics"))))
            writer.writerow([f"{study:.1f}", f"{sleep:.1f}", course, "yes" if dice.random() < chance else "no"])
