"""Completes verbs, their flags and run directories in the shell; Hydra completes overrides."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from dltrain import verbs

# Positional arguments that name a run or a folder of runs, as the verbs call them.
RUN_NAMES = {"run", "runs", "folder", "directory", "path"}
MOST_RUNS = 200
DEEPEST = 4  # outputs/sweeps/day/time/job


def complete(line: str) -> tuple[list[str], str | None]:
    """Returns the words that fit the end of a command line, and the line for Hydra to complete too, or None.

    `line` is what was typed up to the cursor, with the program's name.
    """
    words = line.split()
    current = words.pop() if words and not line.endswith(" ") and len(words) > 1 else ""
    before = words[1:]
    if not before:
        plain = not current.startswith("-")
        return [verb for verb in verbs.names() if verb.startswith(current)], line if plain else None
    if before[0] not in verbs.names():
        return [], line
    known = list(verbs.verb(before[0]).each_argument())
    options = {name: each.details.get("choices", ()) for each in known if each.takes_value for name in each.names}
    if before[-1] in options:
        return [choice for choice in options[before[-1]] if choice.startswith(current)], None
    if current.startswith("-"):
        flags = [name for each in known for name in each.names if name.startswith("--")]
        return [flag for flag in sorted([*flags, "--help"]) if flag.startswith(current)], None
    positional = [each.names[0] for each in known if each.positional]
    places = [word for last, word in itertools.pairwise(before) if word[0] != "-" and last not in options]
    name = [*positional, ""][min(len(places), max(0, len(positional) - 1))]
    if name == "overrides":
        return [], " ".join([words[0], *places[positional.index(name) :], current])
    if name == "key":  # any key that can be overridden
        return [], f"{words[0]} {current}"
    return list(runs_at(current)) if name in RUN_NAMES else [], None


def runs_at(prefix: str) -> Iterator[str]:
    """Yields run directories whose path begins with `prefix`, the newest first; without one, those below outputs/."""
    root = Path(prefix if prefix.endswith("/") else os.path.dirname(prefix) or ".")  # noqa: PTH120 - keeps "./"
    if not os.path.dirname(prefix) and "outputs".startswith(prefix):  # noqa: PTH120
        root = Path("outputs")
    lead = "./" if prefix.startswith("./") else ""
    found: list[str] = []
    depth = len(root.parts)
    for folder, folders, files in os.walk(root):
        folders.sort(reverse=True)
        if "run.json" in files:
            found.append(lead + folder.removeprefix("./"))
        if "run.json" in files or len(found) >= MOST_RUNS or len(Path(folder).parts) - depth >= DEEPEST:
            folders.clear()
    # The shell would split a path with a space.
    yield from (path for path in found if path.startswith(prefix) and " " not in path)
