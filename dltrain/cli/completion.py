"""Shell completion of verbs, their flags and run directories; what can be overridden is Hydra's to complete."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dltrain.verbs import catalogue

# Positional arguments that name a run or a folder of runs, as the verbs call them.
RUN_NAMES = {"run", "runs", "folder", "directory", "path"}
MOST_RUNS = 200
DEEPEST = 4  # outputs/sweeps/day/time/job


def complete(line: str, verbs: Mapping[str, str]) -> tuple[list[str], str | None]:
    """What may stand at the end of a command line.

    Args:
        line: as typed up to the cursor, the program's name first.
        verbs: as in `dltrain.cli.main.VERBS`.

    Returns:
        The words that fit, and the command line that Hydra may complete as well; None where it has nothing to say.
    """
    words = line.split()
    current = words.pop() if words and not line.endswith(" ") and len(words) > 1 else ""
    before = words[1:]
    if not before:
        plain = not current.startswith("-")
        return [verb for verb in sorted(verbs) if verb.startswith(current)], line if plain else None
    if before[0] not in verbs:
        return [], line
    known = catalogue.arguments(verbs[before[0]])
    if before[-1] in known.options:
        return [choice for choice in known.options[before[-1]] if choice.startswith(current)], None
    if current.startswith("-"):
        return [flag for flag in sorted([*known.flags, *known.options, "--help"]) if flag.startswith(current)], None
    places = [word for last, word in itertools.pairwise(before) if word[0] != "-" and last not in known.options]
    name = [*known.positional, ""][min(len(places), max(0, len(known.positional) - 1))]
    if name == "overrides":
        return [], " ".join([words[0], *places[known.positional.index(name) :], current])
    if name == "key":  # what can be overridden can be asked for
        return [], f"{words[0]} {current}"
    return list(runs_at(current)) if name in RUN_NAMES else [], None


def runs_at(prefix: str) -> Iterator[str]:
    """Run directories whose path begins with what was typed, the newest first; below outputs/ where nothing was."""
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
    # A path with a space would be torn into words by the shell.
    yield from (path for path in found if path.startswith(prefix) and " " not in path)
