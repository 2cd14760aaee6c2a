"""Checks speed: the range of usable learning rates, and the duration of batches of each size."""

from __future__ import annotations

import math
import time

import numpy as np

from dltrain.base.outcome import FINE, LOOK, Outcome
from dltrain.checkup.checked_network import CheckedNetwork

LOWEST, HIGHEST, RATES = 1e-6, 10.0, 100
SMOOTHING = 0.9  # weight of earlier losses in the smoothed loss
DIVERGED = 4.0  # the test stops at a loss of so many times the best
FACTOR = 10.0  # the run's rate may differ from the suggested one by this factor without a remark
SIZES = (16, 32, 64, 128, 256, 512, 1024)
TIMED_ROWS = 2_048


def check_learning_rate(checked: CheckedNetwork, seed: int) -> Outcome:
    """Raises the learning rate at each step and finds where the loss falls fastest (range test; Smith 2017)."""
    checked.restore()
    random = np.random.default_rng(seed)
    size = min(checked.batch_size, len(checked))
    rates = np.geomspace(LOWEST, HIGHEST, RATES)
    smooth, best = 0.0, math.inf
    course = []
    for step, rate in enumerate(rates, 1):
        checked.network.optimizer.learning_rate.assign(rate)
        (loss,) = checked.train(random.permutation(len(checked))[:size].astype(np.int64), size)
        smooth = SMOOTHING * smooth + (1 - SMOOTHING) * float(loss)
        corrected = smooth / (1 - SMOOTHING**step)
        if not math.isfinite(corrected) or corrected > DIVERGED * best:
            break
        best = min(best, corrected)
        course.append({"learning_rate": float(rate), "loss": corrected})
    checked.restore()
    losses = np.array([each["loss"] for each in course])
    lowest = int(losses.argmin())
    if lowest < 3 or losses[0] - losses[lowest] < 0.01 * abs(losses[0]):
        text = f"The loss falls at no rate from {LOWEST:g} to {HIGHEST:g} within one step each."
        return Outcome("learning rate", LOOK, text, tuple(course))
    # On the smoothed curve, the steepest place is where the next ten steps gain most.
    gains = losses[: lowest + 1] - losses[np.minimum(np.arange(lowest + 1) + 10, lowest)]
    suggested = float(f"{course[int(gains.argmax())]['learning_rate']:.1g}")
    limit = course[lowest]["learning_rate"]
    text = f"The loss falls fastest near {suggested:g} and is lowest at {limit:.1g}; the run has {checked.rate:g}."
    if max(suggested / checked.rate, checked.rate / suggested) > FACTOR:
        tries = (f"optimizer.learning_rate={suggested:g}",)
        return Outcome("learning rate", LOOK, text, tuple(course), tries)
    return Outcome("learning rate", FINE, text, tuple(course))


def time_batch_sizes(checked: CheckedNetwork) -> Outcome:
    """Measures rows per second in training at several batch sizes."""
    rows = min(TIMED_ROWS, len(checked))
    details = []
    for size in dict.fromkeys((*(size for size in SIZES if size <= rows), min(checked.batch_size, rows))):
        checked.restore()
        order = np.arange(rows // size * size, dtype=np.int64)
        checked.train(order[:size], size)
        began = time.perf_counter()
        checked.train(order, size)
        seconds = time.perf_counter() - began
        step = 1_000 * seconds * size / len(order)
        details.append({"batch_size": size, "milliseconds_a_step": step, "rows_a_second": len(order) / seconds})
    checked.restore()
    details.sort(key=lambda each: each["batch_size"])
    own = next(each for each in details if each["batch_size"] == min(checked.batch_size, rows))
    fastest = max(details, key=lambda each: each["rows_a_second"])
    text = (
        f"{own['rows_a_second']:,.0f} rows a second at {own['batch_size']:,} a step, at most "
        f"{fastest['rows_a_second']:,.0f} at {fastest['batch_size']:,}."
    )
    return Outcome("batch size", FINE, text, tuple(details))
