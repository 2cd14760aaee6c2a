from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain.record.record import Record


@pytest.fixture
def record_of(tmp_path: Path) -> Callable[..., Record]:
    """Writes run.json and metrics.json of a finished run, and returns its record: `record_of(facts, metrics)`."""

    def write(facts: dict[str, Any], metrics: dict[str, Any] | None = None) -> Record:
        base = {"status": "completed", "settings": {}, "choices": {}}
        (tmp_path / "run.json").write_text(json.dumps(base | facts))
        (tmp_path / "metrics.json").write_text(json.dumps(metrics or {}))
        return Record(tmp_path)

    return write
