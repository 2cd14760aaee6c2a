"""Tells which files of a run are no longer as the run wrote them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

RUN_FILE = "run.json"
# Files that other commands read and that a run writes once.
FILES = (
    *("config.yaml", "metrics.json", "signature.json", "splits.json", "history.csv", "predictions.csv"),
    *("model.keras", "cv/summary.json", "insights.json", "what_if.json"),
)
HASHES = "files"  # the entry of run.json with the hash of each of them
OWN_HASH = "sha256"  # the entry with the hash of all others, as run.json cannot hold its own


def hashes(directory: Path) -> dict[str, str]:
    """Returns the SHA-256 of those files of a run that are there."""
    return {name: sha256(directory / name) for name in FILES if (directory / name).is_file()}


def own_hash(facts: Mapping[str, Any]) -> str:
    """Returns the hash of the content of run.json without the hash itself."""
    text = json.dumps({key: value for key, value in facts.items() if key != OWN_HASH}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def damaged(directory: Path) -> list[str]:
    """Returns the names of the files that are not as the run wrote them; of an earlier version none is known."""
    try:
        facts = json.loads((directory / RUN_FILE).read_text("utf-8"))
        if "status" not in facts or (OWN_HASH in facts and facts[OWN_HASH] != own_hash(facts)):
            return [RUN_FILE]
        known = dict(facts.get(HASHES, {}))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return [RUN_FILE]
    return [name for name, value in known.items() if _hash_or_none(directory / str(name)) != value]


def damaged_among(words: Iterable[str]) -> list[str]:
    """Returns the paths of damaged files of the runs among the words of a command."""
    found = []
    for word in words:
        try:
            folder = Path(word) if Path(word).is_dir() else Path(word).parent
            if (folder / RUN_FILE).exists():
                found += [str(folder / name) for name in damaged(folder)]
        except (OSError, ValueError):  # no path at all
            continue
    return list(dict.fromkeys(found))


def sha256(file: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _hash_or_none(file: Path) -> str | None:
    try:
        return sha256(file)
    except OSError:
        return None
