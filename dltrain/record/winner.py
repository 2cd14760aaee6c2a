"""Finds the run that a path stands for: itself, or the best job of a sweep."""

from __future__ import annotations

import json
from pathlib import Path

from dltrain.base.errors import ConfigError


def run_of(path: str | Path) -> Path:
    """Returns the directory of the best job if the path is a sweep; every other path is returned as it is.

    Raises:
        ConfigError: If no job of the sweep has completed.
    """
    given = Path(path)
    if (given / "run.json").is_file() or not (given / "best.json").is_file():
        return given
    try:
        job = json.loads((given / "best.json").read_text("utf-8")).get("job")
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"'{given / 'best.json'}' cannot be read: {error}") from error
    if not isinstance(job, str) or not (given / job / "run.json").is_file():
        raise ConfigError(f"'{given}' is a sweep without a completed job. Name one of its runs.")
    return given / job
