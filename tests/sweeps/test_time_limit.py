"""The end of a training by a clock, and its repetition without one."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from dltrain.base.errors import PrunedError
from dltrain.sweeps import clock
from dltrain.sweeps.clock import Clock
from dltrain.sweeps.time_limit import TimeLimit

SECONDS = 10  # of an epoch of the made clock


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of a sweep; its clock stands at 0."""
    monkeypatch.setattr(clock, "now", lambda: 0.0)
    (tmp_path / "sweep.json").touch()
    (tmp_path / "0" / ".hydra").mkdir(parents=True)
    return tmp_path / "0"


def epochs_of(training: Path, monkeypatch: pytest.MonkeyPatch, *, most: int = 20) -> int:
    """Returns how many epochs a training has that takes ten seconds for each."""
    limit = TimeLimit(training)
    limit.set_model(keras.Model())
    limit.model.stop_training = False
    limit.on_train_begin()
    for epoch in range(most):
        monkeypatch.setattr(clock, "now", lambda epoch=epoch: float(SECONDS * epoch))
        limit.on_epoch_begin(epoch)
        monkeypatch.setattr(clock, "now", lambda epoch=epoch: float(SECONDS * (epoch + 1)))
        limit.on_epoch_end(epoch)
        if limit.model.stop_training:
            return epoch + 1
    return most


def test_it_stops_before_the_epoch_that_would_end_too_late(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(job.parent, 5).allow("0", 75, 75)
    assert epochs_of(job, monkeypatch) == 7
    assert clock.ended_by(job) == "time"
    # Without a clock, and though the sweep has no time left, it ends with the same epoch.
    Clock(job.parent, 5).allow("0", 0, 0)
    assert epochs_of(job, monkeypatch) == 7


def test_each_fold_is_limited_by_its_own_share(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fold = job / "cv" / "fold_1"
    fold.mkdir(parents=True)
    Clock(job.parent, 5).allow("0", 75, 35)
    assert epochs_of(fold, monkeypatch) == 3


def test_ctrl_c_keeps_what_the_job_has(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job.parent / ".stop").touch()
    assert epochs_of(job, monkeypatch) == 1
    assert clock.ended_by(job) == "Ctrl-C"


def test_nothing_limits_what_is_no_job(tmp_path: Path, job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(tmp_path, 5).allow("0", 0, 0)
    (job / ".hydra").rmdir()
    assert epochs_of(job, monkeypatch) == 20
    assert clock.ended_by(job) is None


def test_a_first_epoch_without_time_is_cut_off(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(job.parent, 5).allow("0", 5, 5)
    limit = TimeLimit(job)
    limit.on_train_begin()
    limit.on_segment_end(0, 1)
    monkeypatch.setattr(clock, "now", lambda: 6.0)
    with pytest.raises(PrunedError, match="too short for one epoch"):
        limit.on_segment_end(0, 2)


def test_a_fold_that_begins_after_the_end_ends_its_job(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(job.parent, 5).allow("0", 5, 5)
    monkeypatch.setattr(clock, "now", lambda: 6.0)
    with pytest.raises(PrunedError, match="too short for one epoch"):
        TimeLimit(job / "cv" / "fold_5").on_train_begin()
    clock.write_end(job, 3, "time")  # a repetition has no end but the recorded one
    TimeLimit(job).on_train_begin()
