from __future__ import annotations

import io
import re
from typing import Any

import pytest
from omegaconf import DictConfig
from rich.console import Console

from dltrain.training import progress as module
from dltrain.training.progress import Progress, TrainingsProgress


@pytest.fixture
def console() -> Console:
    return Console(width=120, record=True, force_terminal=False)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, as the module sees them."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("quiet", [False, True])
def test_plain_line_comes_now_and_then_with_the_time_that_is_left(
    console: Console, clock: list[float], quiet: bool
) -> None:
    callback = Progress(console, quiet)
    callback.set_params({"epochs": 10})
    callback.on_train_begin()
    for epoch in range(4):
        clock[0] += 2
        callback.on_epoch_end(epoch, {"loss": 0.123456, "learning_rate": 0.1, "a\x1b[31m": 1.0})
    callback.on_train_end()
    lines = console.export_text().splitlines()
    assert len(lines) == (0 if quiet else 1)
    if lines:
        assert lines[0].startswith("epoch 3/10  14 s left  loss 0.1235  a")
        assert "\x1b" not in lines[0]
        assert "learning_rate" not in lines[0]


@pytest.mark.parametrize(("width", "last"), [(45, "val_auc 0.8"), (60, "val_loss 0.4"), (120, "loss 0.45")])
def test_live_line_begins_with_epoch_time_and_the_monitored_value(width: int, last: str) -> None:
    file = io.StringIO()
    screen = Console(file=file, width=width, force_terminal=True, color_system=None, legacy_windows=False)
    callback = Progress(screen, task=DictConfig({"monitor": "val_auc"}))
    callback.set_params({"epochs": 300})
    callback.on_train_begin()
    for epoch in range(12):
        callback.on_epoch_end(epoch, {"accuracy": 0.85, "loss": 0.45, "val_loss": 0.4, "val_auc": 0.8})
    callback.on_train_end()
    line = [line for line in file.getvalue().splitlines() if "12/300" in line][-1]
    shown = re.sub(r"\x1b\[[^A-Za-z]*[A-Za-z]", "", line).strip()
    assert len(shown) <= width
    assert re.match(r"epoch +12/300 .* \S+ left  val_auc 0.8", shown)
    assert shown.endswith(last)


def test_line_of_several_trainings_counts_epochs_and_those_that_are_done(console: Console, clock: list[float]) -> None:
    line = TrainingsProgress(console, "fold", 3, 5, quiet=False)
    counters: Any = [line.callback(), line.callback()]
    for counter in counters:
        counter.on_epoch_end(0)
    clock[0] += 6
    line.finished()
    line.close()
    assert console.export_text().splitlines() == ["1 of 3 folds done, 2 epochs in all"]


def test_trainings_that_are_to_stop_end_with_their_epoch(console: Console) -> None:
    line = TrainingsProgress(console, "fold", 3, 5, quiet=True)
    counter: Any = line.callback()
    counter.on_epoch_end(0)
    line.stopping = True
    with pytest.raises(KeyboardInterrupt):
        counter.on_epoch_end(1)
    assert console.export_text() == ""
