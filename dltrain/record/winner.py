"""Reads which job of a sweep is the best, and finds the run that a path stands for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltrain.base.errors import ConfigError


def read_best(sweep: Path) -> dict[str, Any]:
    """Returns the content of best.json of a sweep.

    Raises:
        ConfigError: If it is missing or damaged.
    """
    file = sweep / "best.json"
    try:
        return dict(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"'{file}' cannot be read: {error}") from error


def run_of(path: str | Path) -> Path:
    """Returns the directory of the best job if the path is a sweep; every other path is returned as it is.

    Raises:
        ConfigError: If no job of the sweep has completed.
    """
    given = Path(path)
    if (given / "run.json").is_file() or not (given / "best.json").is_file():
        return given
    job = read_best(given).get("job")
    if not isinstance(job, str) or not (given / job / "run.json").is_file():
        raise ConfigError(f"'{given}' is a sweep without a completed job. Name one of its runs.")
    return given / job
