"""Reads which job of a sweep is the best, and finds the run that a path stands for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dltrain.base.errors import ConfigError

ENSEMBLE = "ensemble"  # the directory of the ensemble of a search=best, in that of its sweep


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
    """Returns the directory of the best job if the path is a sweep, or of its ensemble; other paths stay as they are.

    Raises:
        ConfigError: If no job of the sweep has completed.
    """
    given = Path(path)
    if (given / "run.json").is_file() or not (given / "best.json").is_file():
        return given
    job = winner(given)
    if not isinstance(job, str) or not (given / job / "run.json").is_file():
        raise ConfigError(f"'{given}' is a sweep without a completed job. Name one of its runs.")
    return given / job


def winner(sweep: Path) -> Any:
    """Returns the name of the directory of the ensemble of a sweep, else of its best job, else None."""
    return ENSEMBLE if has_ensemble(sweep) else read_best(sweep).get("job")


def has_ensemble(sweep: Path) -> bool:
    """Returns whether a sweep has the ensemble with which a search=best ends."""
    return (sweep / ENSEMBLE / "metrics.json").is_file()
