from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from dltrain.sweeps import memory


def fresh_module() -> Any:
    """A process that has run no job."""
    spec = importlib.util.spec_from_file_location("memory_of_a_new_process", str(memory.__file__))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory")
def test_memory_is_told_in_megabytes() -> None:
    before = memory.resident_megabytes()
    held = bytearray(b"x" * 100_000_000)
    assert 70 < memory.resident_megabytes() - before < 300
    assert len(held) == 100_000_000


@pytest.mark.parametrize(
    ("levels", "renewable", "full"),
    [
        ((100, 300, 1000, 1249), True, False),  # the first jobs load modules
        ((100, 300, 1000, 1251), True, True),
        ((100, 300, 1000, 5000), False, False),  # within a person's own process
    ],
)
def test_a_process_that_has_grown_by_a_quarter_is_replaced(
    levels: Sequence[float], renewable: bool, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = fresh_module()
    monkeypatch.setattr(fresh, "renewable", renewable)
    rest = iter(levels)
    monkeypatch.setattr(fresh, "resident_megabytes", lambda: next(rest))
    assert [fresh.over_the_limit() for _ in levels] == [False, False, False, full]
    assert fresh.full is full
