"""The minutes of a search, over all its starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.sweeps import clock
from dltrain.sweeps.clock import START_SECONDS, Clock


class Made:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    made = Made()
    monkeypatch.setattr(clock, "now", made)
    return made


def test_a_second_start_has_what_the_first_one_left(tmp_path: Path, made: Made) -> None:
    first = Clock(tmp_path, 5)
    assert first.left() == 300 - START_SECONDS
    made.time += 100
    first.save()
    made.time += 1_000_000  # nobody waits for it
    second = Clock(tmp_path, 5)
    assert second.left() == pytest.approx(200 - 2 * START_SECONDS)
    made.time += 300
    assert second.left() < 0


def test_a_training_ends_with_its_job_or_with_its_own_share(tmp_path: Path, made: Made) -> None:
    assert clock.train_until(tmp_path, "0") is None
    own = Clock(tmp_path, 5)
    assert clock.train_until(tmp_path, "0") is None
    own.allow("0", 100, 100)
    own.allow("1", 90, 50)
    own.save()
    assert [clock.train_until(tmp_path, job) for job in ("0", "1", "2")] == [1100, 1050, None]
    made.time += 80  # a fold that begins late has less
    assert clock.train_until(tmp_path, "1") == 1090


@pytest.mark.parametrize("content", ["", "{", "[]", '{"spent": 1'])
def test_a_damaged_file_counts_as_none(tmp_path: Path, made: Made, content: str) -> None:
    (tmp_path / clock.FILE).write_text(content)
    assert Clock(tmp_path, 1).left() == 60 - START_SECONDS


def test_ends_are_those_of_the_run_and_of_its_folds(tmp_path: Path) -> None:
    assert clock.ended_by(tmp_path) is None
    assert clock.last_epoch(tmp_path) is None
    fold = tmp_path / "cv" / "fold_2"
    fold.mkdir(parents=True)
    clock.write_end(fold, 7, "time")
    assert clock.last_epoch(fold) == 7
    assert clock.ends(tmp_path) == [fold / clock.END]
    assert clock.ended_by(tmp_path) == "time"
