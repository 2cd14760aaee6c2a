"""Checks the options that a command line chooses, and names those that were meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override
from omegaconf import ListConfig

from dltrain.base.distribution import install
from dltrain.base.errors import closest, did_you_mean
from dltrain.base.shell_words import command, quoted
from dltrain.config.written import as_one_text, of_file

# Launchers whose options exist only if an extra of dltrain is installed.
LAUNCHERS = {"joblib": "parallel", "submitit_local": "slurm", "submitit_slurm": "slurm"}


@dataclass(frozen=True)
class Checked:
    """The override that chooses options which exist, or None if that cannot be known, and the faults."""

    choice: str | None
    faults: list[str]


def check(override: Override, options: Sequence[str]) -> Checked:
    """Checks the options that an override chooses against those that a group has.

    The choice has the nearest option in the place of a single unknown one, so that what follows can be checked too.
    """
    key, line, value = override.key_or_group, str(override.input_line), override.value()
    names = ["null" if name is None else str(name) for name in (value if isinstance(value, list) else [value])]
    wrong = [name for name in names if name not in options]
    if not wrong:
        return Checked(line, [])
    faults, choice = [], None
    for name in wrong:
        near = closest(name, options)
        if key == "hydra/launcher" and name in LAUNCHERS:
            faults.append(f"{key}: '{name}' needs {install(LAUNCHERS[name])}.")
        elif key == "dataset" and Path(name).suffix:
            faults.append(f"{key}: '{name}' is a file. Did you mean {command(of_file(name))}?")
        elif near:
            meant = f"{line.partition('=')[0]}={override.get_value_string().replace(name, near, 1)}"
            faults.append(f"{key}: there is no option '{name}'. Did you mean {quoted(meant)}?")
            choice = meant if len(names) == 1 else None
        else:
            faults.append(f"{key}: there is no option '{name}'.{did_you_mean(name, options)}")
    return Checked(choice, faults)


def several(override: Override, now: Any, *, is_group: bool) -> str:
    """Returns the fault of several values for one run, with what else may have been meant.

    `now` is the value that the key has without the override.
    """
    key, text = override.key_or_group, override.get_value_string()
    if is_group:
        return f"{key}: expected one option for one run, got '{text}'. Add -m to run each of them."
    told = f"{key}: expected one value for one run, got '{text}'. Add -m to run each of them"
    if isinstance(now, ListConfig):
        return f"{told}, or write {quoted(f'{key}=[{text}]')} for one list."
    if isinstance(now, int | float) or not override.is_choice_sweep():
        return f"{told}."
    return f"{told}, or write {quoted(as_one_text(key, text))} for one text."
