"""Writes and reads a line of sweep.jsonl: JSON with a checksum, by which a damaged line is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

CHECKSUM = "sha256"


def line_of(content: Mapping[str, Any]) -> bytes:
    """Returns the line of an entry, with its line feed."""
    return _encoded({**content, CHECKSUM: _checksum(content)}) + b"\n"


def content_of(line: bytes) -> dict[str, Any] | None:
    """Returns the entry of a line, or None if the line is damaged; lines of earlier versions have no checksum."""
    try:
        content = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not _is_job(content.get("job")):
        return None
    checksum = content.pop(CHECKSUM, None)
    if checksum is None:
        return content if _has_the_types(content) else None
    return content if checksum == _checksum(content) else None


def _encoded(content: Mapping[str, Any]) -> bytes:
    # Half a surrogate pair, as in a path that is no UTF-8, becomes its escape in JSON.
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_encoded(content)).hexdigest()[:16]


def _is_job(name: Any) -> bool:
    """Returns whether a name is that of a folder below the sweep, since the folders of failed jobs are removed."""
    path = PurePosixPath(name) if isinstance(name, str) else PurePosixPath()
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _has_the_types(content: Mapping[str, Any]) -> bool:
    texts, mappings = ("key", "status"), ("metrics", "repeats")
    return (
        all(isinstance(content.get(name, ""), str) for name in texts)
        and all(isinstance(content.get(name, {}), dict) for name in mappings)
        and isinstance(content.get("overrides", []), list)
        and all(isinstance(word, str) for word in content.get("overrides", []))
    )
