from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from dltrain.training import schedules

RATE, STEPS, EPOCHS = 0.2, 7, 20


def at(schedule: Any, step: float) -> float:
    return float(schedule(step))


@pytest.mark.parametrize(("epochs", "factor"), [([5, 10, 15], 0.1), ([10, 5, 15], 0.1), ([3, 6], 0.01)])
def test_step_falls_at_the_first_step_of_its_epochs(epochs: list[int], factor: float) -> None:
    schedule = schedules.step(RATE, STEPS, EPOCHS, epochs=epochs, factor=factor)
    for epoch in range(EPOCHS):
        expected = RATE * factor ** sum(epoch >= boundary for boundary in epochs)
        assert at(schedule, epoch * STEPS) == pytest.approx(expected, rel=1e-5)
        assert at(schedule, epoch * STEPS + STEPS - 1) == pytest.approx(expected, rel=1e-5)


def test_exponential_multiplies_each_epoch() -> None:
    smooth = schedules.exponential(RATE, STEPS, EPOCHS, factor=0.9, staircase=False)
    stairs = schedules.exponential(RATE, STEPS, EPOCHS, factor=0.9, staircase=True)
    for step in range(EPOCHS * STEPS):
        assert at(smooth, step) == pytest.approx(RATE * 0.9 ** (step / STEPS), rel=1e-5)
        assert at(stairs, step) == pytest.approx(RATE * 0.9 ** (step // STEPS), rel=1e-5)


def test_inverse_time_is_a0_over_1_plus_k_epochs() -> None:
    smooth = schedules.inverse_time(RATE, STEPS, EPOCHS, rate=0.5, staircase=False)
    stairs = schedules.inverse_time(RATE, STEPS, EPOCHS, rate=0.5, staircase=True)
    for step in range(EPOCHS * STEPS):
        assert at(smooth, step) == pytest.approx(RATE / (1 + 0.5 * step / STEPS), rel=1e-5)
        assert at(stairs, step) == pytest.approx(RATE / (1 + 0.5 * (step // STEPS)), rel=1e-5)


@pytest.mark.parametrize("final", [0.0, 0.1])
def test_cosine_climbs_and_falls(final: float) -> None:
    schedule = schedules.cosine(RATE, STEPS, EPOCHS, warmup_epochs=4, final_fraction=final)
    for epoch in range(4):
        assert at(schedule, epoch * STEPS) == pytest.approx(RATE * epoch / 4, rel=1e-5, abs=1e-7)
    for epoch in range(4, EPOCHS + 1):
        fallen = (1 + math.cos(math.pi * (epoch - 4) / (EPOCHS - 4))) / 2
        assert at(schedule, epoch * STEPS) == pytest.approx(RATE * ((1 - final) * fallen + final), rel=1e-4, abs=1e-7)


def test_cosine_without_warmup_starts_at_the_rate() -> None:
    schedule = schedules.cosine(RATE, STEPS, EPOCHS, warmup_epochs=0, final_fraction=0.0)
    assert at(schedule, 0) == pytest.approx(RATE)
    assert at(schedule, EPOCHS * STEPS / 2) == pytest.approx(RATE / 2, rel=1e-5)


def test_cosine_of_fewer_epochs_than_its_warmup_still_falls() -> None:
    schedule = schedules.cosine(RATE, STEPS, 3, warmup_epochs=5, final_fraction=0.0)
    assert at(schedule, 2 * STEPS) == pytest.approx(RATE, rel=1e-5)
    assert at(schedule, 3 * STEPS) == pytest.approx(0, abs=1e-7)


def test_cosine_log_has_cycles_that_double_in_length() -> None:
    steps, cycles = 700, 3
    schedule = schedules.cosine_log(RATE, 7, 100, cycles=cycles)
    for cycle in range(cycles):
        # Turn x of the logarithm is reached at the share (2^x - 1) / (2^cycles - 1) of the steps.
        bottom, quarter, top = (steps * (2 ** (cycle + part) - 1) / (2**cycles - 1) for part in (0, 0.25, 0.5))
        assert at(schedule, bottom) == pytest.approx(0, abs=1e-6)
        assert at(schedule, quarter) == pytest.approx(RATE / 2, rel=1e-3)
        assert at(schedule, top) == pytest.approx(RATE, rel=1e-5)
    assert at(schedule, steps) == pytest.approx(0, abs=1e-6)
    assert at(schedule, 2 * steps) == pytest.approx(0, abs=1e-6)


def test_learning_rate_of_an_epoch_is_what_its_last_step_left(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    schedule = ("optimizer=sgd", "schedule=inverse_time", "schedule.rate=0.5", "trainer.epochs=4")
    stage = stage_of("model=linear", "dataset.problem=regression", "callbacks=learning_rate", *schedule)
    found = [epoch["learning_rate"] for epoch in train_stage(stage, tmp_path).history]
    assert found == pytest.approx([0.01 / (1 + 0.5 * epoch) for epoch in range(1, 5)], rel=1e-5)
