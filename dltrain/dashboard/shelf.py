"""Finds the runs and sweeps below one folder, and reads again only what has changed."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from dltrain.api.listing import differing_keys
from dltrain.base.errors import ConfigError
from dltrain.base.shell_words import command
from dltrain.record.listing import Row, filter_rows, read_row, rows_below

MOST_KEYS = 12  # of settings that differ, as columns
CHANGING = ("running", "damaged")  # states that may be others without a change of run.json
FILES = ("run.json", "metrics.json")


class Shelf:
    """The runs and sweeps below a folder, by names relative to it."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).resolve()
        if not self.folder.is_dir():
            raise ConfigError(f"There is no folder '{folder}'. Runs are written below outputs/: dltrain board outputs.")
        self._kept: dict[str, tuple[tuple[int, ...], Row]] = {}

    def rows(self, conditions: str = "") -> list[Row]:
        """Returns all runs, the newest first, that meet conditions such as `status=failed auc>0.9`."""
        return filter_rows(rows_below(self.folder, self._row), conditions)

    def directory(self, name: str, file: str) -> Path:
        """Returns the directory of this name that holds a file.

        Raises:
            ConfigError: If there is none, or it lies outside of the folder, as a link may lead.
        """
        try:
            found = (self.folder / name).resolve()
            inside = found.is_relative_to(self.folder) and (found / file).is_file()
        except (OSError, ValueError, RuntimeError):  # a zero byte, a name too long, a circle of links
            inside = False
        if not inside:
            raise ConfigError(f"There is no '{name}' with a {file} below '{self.folder}'.")
        return found

    def name(self, path: str | Path) -> str:
        """Returns the name of a directory below the folder, relative to it."""
        # A Path for each of thousands costs more than all the rest.
        return str(path)[len(str(self.folder)) :].replace(os.sep, "/").strip("/") or "."

    def table(self, conditions: str = "") -> dict[str, Any]:
        """Returns the table of runs for the page: the columns of settings that differ, and a row for each run."""
        rows = self.rows(conditions)
        keys = differing_keys(rows)[:MOST_KEYS]
        return {"folder": str(self.folder), "keys": keys, "rows": [self._texts(row, keys) for row in rows]}

    def _texts(self, row: Row, keys: list[str]) -> dict[str, Any]:
        values = row.values
        named = ("status", "started", "dataset", "model", "metric", "validation", "test", "seconds", "error")
        return {
            "run": self.name(row.run),
            "sweep": None if row.sweep is None else self.name(row.sweep),
            "typed": command(row.words),
            "interval": row.interval,
            **{name: plain(values.get(name)) for name in named},
            "settings": [plain(values.get(key)) for key in keys],
            "fault": row.fault,
        }

    def _row(self, path: str, sweep: str | None) -> Row:
        state = tuple(_changed(Path(path) / name) for name in FILES)
        kept = self._kept.get(path)
        if kept is not None and kept[0] == state and kept[1].values.get("status") not in CHANGING:
            return kept[1]
        row = read_row(path, sweep)
        self._kept[path] = state, row
        return row


def plain(value: Any) -> Any:
    """Returns a value that JSON can hold: a number that is not finite as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (int, float, str, bool)) or value is None else str(value)


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
