"""Early stopping by steps and by the best epoch: when a training ends, on made-up curves of a validation loss."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from dltrain.training.early_stopping import EarlyStopping


def stopping(**changed: Any) -> EarlyStopping:
    options = {"patience": 50, "first_patience": 5, "growth": 0.5, "least_steps": 100} | changed
    return EarlyStopping(monitor="val_loss", mode="min", restore_best_weights=False, **options)


def epochs_of(callback: EarlyStopping, curve: Sequence[float], steps: int) -> int:
    """How many epochs are trained with this loss after each, the last one without end."""
    model = SimpleNamespace(stop_training=False, get_weights=list, set_weights=lambda _: None)
    callback.set_params({"steps": steps, "epochs": 1_000})
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(1_000):
        callback.on_epoch_end(epoch, {"val_loss": curve[min(epoch, len(curve) - 1)]})
        if model.stop_training:
            return epoch + 1
    raise AssertionError("never stopped")


@pytest.mark.parametrize(
    ("best", "steps", "waits"),
    [
        (1, 1_000, 5),  # many steps: the first patience
        (20, 1_000, 15),  # a later best epoch: more of it
        (10, 5, 20),  # few steps: as many epochs as they need
        (10, 1, 50),  # but never above the patience
        (200, 1_000, 50),
    ],
)
def test_patience_follows_steps_and_the_best_epoch(best: int, steps: int, waits: int) -> None:
    callback = stopping()
    assert callback.patience_after(best, steps) == waits
    falling = [1.0 - 0.001 * epoch for epoch in range(best)]
    assert epochs_of(callback, [*falling, 2.0], steps) == best + waits


def test_a_late_improvement_is_waited_for_as_long_as_the_first_ones_took() -> None:
    curve = [*[1.0 - 0.001 * epoch for epoch in range(30)], *[2.0] * 15, 0.5, 2.0]
    assert epochs_of(stopping(), curve, 1_000) == 46 + 5 + 23
    assert epochs_of(stopping(growth=0.0), curve, 1_000) == 30 + 5


def test_patience_is_the_same_from_run_to_run_of_one_callback() -> None:
    callback = stopping()
    assert [epochs_of(callback, [1.0, 2.0], 1_000) for _ in range(2)] == [6, 6]


def test_a_resumed_training_ends_where_the_whole_one_does_and_by_the_config_of_now() -> None:
    curve = [*[1.0 - 0.001 * epoch for epoch in range(30)], *[2.0] * 99]
    assert epochs_of(stopping(), curve, 1_000) == 30 + 5 + 15
    for growth, end in ((0.5, 50), (0.0, 40)):
        again = stopping(growth=growth)
        model = SimpleNamespace(stop_training=False)
        again.set_params({"steps": 1_000})
        again.set_model(model)
        again.on_train_begin()
        at_40 = stopping()
        at_40.set_params({"steps": 1_000})
        at_40.set_model(SimpleNamespace(stop_training=False))
        at_40.on_train_begin()
        for epoch in range(39):
            at_40.on_epoch_end(epoch, {"val_loss": curve[epoch]})
        again.set_state(at_40.get_state())
        epoch = 39
        while not model.stop_training:
            again.on_epoch_end(epoch, {"val_loss": curve[epoch]})
            epoch += 1
        assert epoch == end
