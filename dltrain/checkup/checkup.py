"""Runs all checks of a config, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import tensorflow as tf
from omegaconf import DictConfig

from dltrain.base.outcome import FAILED, FINE, LOOK, Outcome
from dltrain.base.own_code import raised_in_own_code
from dltrain.checkup.checked_network import CheckedNetwork, prepare_checked_networks
from dltrain.checkup.speed import check_learning_rate, time_batch_sizes
from dltrain.checkup.start import check_first_loss, check_flow, check_one_batch
from dltrain.config.seed import Seed
from dltrain.data.finding import Finding
from dltrain.engine.gradients import check_gradients, double_precision
from dltrain.record.run_directory import finite


@dataclass(frozen=True)
class Timed:
    """The outcome of a check and its duration in seconds."""

    outcome: Outcome
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return {**finite(asdict(self.outcome)), "seconds": round(self.seconds, 3)}


def check_up(config: DictConfig, overrides: list[str]) -> Iterator[Timed]:
    """Yields the outcome of every check as soon as it is done; the checked config is changed.

    Raises:
        DltrainError: If the data cannot be loaded or the network cannot be built.
    """
    began = time.monotonic()
    build, findings = prepare_checked_networks(config, overrides)
    checked = build()
    yield Timed(_data(findings), time.monotonic() - began)
    checks: list[Callable[[], Outcome]] = [
        lambda: check_first_loss(checked),
        lambda: check_flow(checked),
        lambda: gradient_check(build, Seed.of(config).stream("checkup")),
        lambda: check_one_batch(checked),
        lambda: check_learning_rate(checked, Seed.of(config).stream("checkup")),
        lambda: time_batch_sizes(checked),
    ]
    for check in checks:
        began = time.monotonic()
        outcome = check()
        yield Timed(outcome, time.monotonic() - began)


def _data(findings: list[Finding]) -> Outcome:
    warnings = [finding for finding in findings if finding.severity == "warning"]
    details = tuple({"check": each.check, "severity": each.severity, "sentence": each.sentence} for each in findings)
    hints = [finding.sentence for finding in findings if finding.severity == "hint"]
    told = [finding.sentence for finding in warnings] or ["The checks of the data warn of nothing."]
    return Outcome("data", LOOK if warnings else FINE, " ".join([*told, *hints]), details)


def gradient_check(build: Callable[[], CheckedNetwork], seed: int) -> Outcome:
    """Compares numeric with automatic gradients in double precision; raises what fails in a person's own layer."""
    try:
        with double_precision():
            checked = build()
            return check_gradients(checked.network, checked.numbers, checked.truth.column, seed)
    except (tf.errors.OpError, TypeError, ValueError) as error:
        if raised_in_own_code(error):  # a bug of that code, which would be there in single precision too
            raise
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        text = f"A layer cannot work in double precision, which numeric gradients need: {reason[:200]}"
        return Outcome("gradients", LOOK, text)


def failed(outcomes: list[Timed]) -> bool:
    """Tells whether any check failed."""
    return any(each.outcome.status == FAILED for each in outcomes)
