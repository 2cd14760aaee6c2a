from __future__ import annotations

import shlex
from typing import Any

import pytest

from dltrain.report import remedies
from dltrain.report.evidence import Evidence


def evidence(epochs: int = 10, **settings: Any) -> Evidence:
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return Evidence([{"loss": 1.0}] * epochs, {}, {}, {}, 1, settings=named, choices={"model": "mlp"})


def test_a_command_begins_with_what_changes_and_keeps_the_rest_for_the_shell() -> None:
    line = remedies.command(["+seed=3", "model.units=[8,4]", "a=b c"], ["seed=4"], "--config-dir=my conf")
    assert shlex.split(line) == ["dltrain", "--config-dir=my conf", "seed=4", "model.units=[8,4]", "a=b c"]


def test_what_a_run_had_already_is_not_suggested() -> None:
    seen = evidence(model__dropout=0)
    tries = (("model=mlp",), ("model=mlp", "model.units=[8]"), ("model.dropout=0",))
    assert list(remedies.new(tries, seen)) == [("model.units=[8]",)]


@pytest.mark.parametrize(
    ("remedy", "settings", "expected"),
    [
        (remedies.longer, {"trainer__epochs": 10}, (("trainer.epochs=20",),)),
        (remedies.longer, {"trainer__epochs": 11}, ()),  # it stopped before
        (remedies.larger, {"model__units": [8, 4]}, (("model.units=[16,8]",),)),
        (remedies.larger, {"model___target_": "dltrain.models.mlp.linear"}, (("model=mlp",),)),
        (remedies.larger, {"model___target_": "own.network"}, ()),
        (remedies.freer, {"model__dropout": 0.2}, (("model.dropout=0",),)),
        (remedies.freer, {"model__dropout": 0}, ()),
        (remedies.faster, {"optimizer__learning_rate": 0.003}, (("optimizer.learning_rate=0.03",),)),
        (remedies.slower, {"optimizer__learning_rate": 0.003}, (("optimizer.learning_rate=0.0003",),)),
        (remedies.slower, {}, ()),
        (remedies.slower_by_schedule, {"schedule": None}, (("schedule=cosine",),)),
        (remedies.slower_by_schedule, {"schedule": "cosine"}, ()),
        (remedies.healthier, {"model__units": [8]}, (("initializer=he_normal", "normalization=batch"),)),
        (remedies.healthier, {}, ()),
        (remedies.stricter, {"model__units": [4], "regularizer__kernel": "l2", "model__dropout": 0.5}, ()),
        (
            remedies.stricter,
            {"model__units": [32, 8], "model__dropout": 0.1},
            (("model.dropout=0.5",), ("regularizer=l2",), ("model.units=[8,2]",)),
        ),
    ],
)
def test_a_remedy_changes_only_what_the_network_has(remedy: Any, settings: dict[str, Any], expected: Any) -> None:
    assert remedy(evidence(**settings)) == expected
