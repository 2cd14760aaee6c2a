from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dltrain.base.outcome import FINE, LOOK
from dltrain.checkup.speed import check_learning_rate, time_batch_sizes


class Parabola:
    """A network of one weight whose loss is its square, so that each step multiplies it by 1 - 2 · rate."""

    def __init__(self, rate: float = 0.1, *, flat: bool = False, batch_size: int = 32) -> None:
        self.rate, self.flat, self.batch_size = rate, flat, batch_size
        self.network = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=self))
        self.restore()

    def __len__(self) -> int:
        return 100

    def restore(self) -> None:
        self.weight, self.current = 1.0, self.rate

    def assign(self, rate: float) -> None:
        self.current = rate

    def train(self, order: Any, batch_size: int) -> Any:
        losses = []
        for _ in order.reshape(-1, batch_size):
            losses.append(1.0 if self.flat else self.weight**2)
            self.weight *= 1 - 2 * self.current
        return np.array(losses)


def checked(**settings: Any) -> Any:
    return Parabola(**settings)


def test_the_suggested_rate_is_usable_and_the_network_is_as_before() -> None:
    network = checked(rate=0.05)
    found = check_learning_rate(network, seed=0)
    assert found.status == FINE
    suggested = float(found.text.split()[5])
    assert 0.005 <= suggested < 1
    rates = [each["learning_rate"] for each in found.details]
    assert rates == sorted(rates)
    assert (network.weight, network.current) == (1, 0.05)


@pytest.mark.parametrize("rate", [1e-5, 100.0])
def test_a_rate_far_off_is_answered_with_an_override(rate: float) -> None:
    found = check_learning_rate(checked(rate=rate), seed=0)
    assert found.status == LOOK
    assert found.tries[0].startswith("optimizer.learning_rate=0.")


def test_a_loss_that_never_falls_is_told() -> None:
    found = check_learning_rate(checked(flat=True), seed=0)
    assert (found.status, found.text.partition(" from")[0]) == (LOOK, "The loss falls at no rate")


def test_the_own_batch_size_is_timed_among_those_that_fit() -> None:
    found = time_batch_sizes(checked(batch_size=40))
    assert [each["batch_size"] for each in found.details] == [16, 32, 40, 64]
    assert all(each["rows_a_second"] > 0 for each in found.details)
    assert [each["batch_size"] for each in time_batch_sizes(checked(batch_size=4000)).details] == [16, 32, 64, 100]
