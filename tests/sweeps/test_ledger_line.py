from __future__ import annotations

import json
from typing import Any

import pytest

from dltrain.sweeps.ledger_line import CHECKSUM, content_of, line_of

ENTRY: dict[str, Any] = {"job": "3", "overrides": ["seed=3", "a='ä\n'"], "metrics": {"loss": None}, "value": 0.25}


@pytest.mark.parametrize("job", ["3", "fold/3", "ä", "half \ud800"])
def test_an_entry_is_read_back_from_one_line(job: str) -> None:
    line = line_of({**ENTRY, "job": job})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert content_of(line) == {**ENTRY, "job": job}


def test_every_changed_or_missing_byte_is_noticed() -> None:
    line = line_of(ENTRY).rstrip()
    assert all(content_of(line[:end]) is None for end in range(len(line)))
    value = line.index(b"0.25")
    assert content_of(line[:value] + b"0.75" + line[value + 4 :]) is None


@pytest.mark.parametrize("job", ["..", "a/../..", "/tmp/a", "", ".", 3, None])
def test_a_job_outside_of_the_sweep_is_refused_since_its_folder_may_be_removed(job: Any) -> None:
    assert content_of(line_of({**ENTRY, "job": job})) is None


def test_a_line_of_an_earlier_version_has_no_checksum_but_the_right_types() -> None:
    assert CHECKSUM not in ENTRY
    assert content_of(json.dumps(ENTRY).encode()) == ENTRY
    for wrong in ({"overrides": "seed=3"}, {"overrides": [3]}, {"metrics": []}, {"key": None}):
        assert content_of(json.dumps(ENTRY | wrong).encode()) is None
