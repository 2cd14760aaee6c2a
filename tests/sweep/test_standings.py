from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import DictConfig

from dltrain.sweep.keep import remove_models
from dltrain.sweep.ledger import Entry, Ledger
from dltrain.sweep.standings import standings

# Loss and accuracy disagree; 1 and 3 are equal in accuracy.
LOSSES, ACCURACIES, PARAMETERS = [0.4, 0.1, 0.3, 0.2, 0.5, 0.6], [0.7, 0.6, 0.9, 0.6, 0.8, 0.5], [9, 8, 9, 7, 5, 5]


def jobs() -> list[Entry]:
    numbers = zip(LOSSES, ACCURACIES, PARAMETERS, strict=True)
    return [
        Entry(
            job=str(place),
            overrides=[f"trainer.batch_size={place + 1}"],
            status="completed",
            monitor="val_loss",
            value=loss,
            metrics={"loss": loss, "accuracy": accuracy},
            parameters=parameters,
        )
        for place, (loss, accuracy, parameters) in enumerate(numbers)
    ]


@pytest.mark.parametrize(
    ("objectives", "order"),
    [
        ({}, "132045"),
        ({"val_accuracy": "max"}, "240135"),
        ({"val_accuracy": "min"}, "513042"),
        ({"parameters": "min"}, "453102"),
    ],
)
def test_the_objective_gives_the_order(objectives: dict[str, str], order: str) -> None:
    found = standings(jobs(), objectives)
    assert "".join(each.entries[0].job for each in found.settings) == order
    assert found.entries[0].monitor == next(iter(objectives), "val_loss")
    assert found.front == []


def test_of_several_objectives_the_first_gives_the_order_and_the_winner_is_on_the_front() -> None:
    # 4 and 5 have the fewest parameters, and 4 the greater accuracy.
    found = standings([*jobs()[:4], jobs()[5], jobs()[4]], {"parameters": "min", "val_accuracy": "max"})
    assert found.settings[0].entries[0].job == "4"
    assert [each.entries[0].job for each, _ in found.front] == ["4", "2"]
    assert found.front[0][1] == {"parameters": 5, "val_accuracy": 0.8}


def test_folds_of_the_objective_are_the_values_of_a_setting() -> None:
    folds = {"loss": {"fold 1": 0.1, "fold 2": 0.3}, "accuracy": {"fold 1": 0.8, "fold 2": 0.9}}
    metrics: dict[str, float | None] = {"loss": 0.2, "accuracy": 0.85}
    entry = Entry(job="0", status="completed", monitor="val_loss", value=0.2, metrics=metrics, repeats=folds)
    (setting,) = standings([entry], {"val_accuracy": "max"}).settings
    assert setting.values == folds["accuracy"]


@pytest.mark.parametrize(("objectives", "left"), [(["val_accuracy"], "01234"), (["parameters", "val_loss"], "12345")])
def test_the_best_by_the_objectives_keep_their_models(tmp_path: Path, objectives: list[str], left: str) -> None:
    ledger = Ledger(tmp_path)
    for entry in jobs():
        ledger.append(entry)
        (tmp_path / entry.job).mkdir()
        (tmp_path / entry.job / "model.keras").touch()
    remove_models(ledger, DictConfig({"keep": "best", "search": {"objectives": objectives, "directions": "auto"}}))
    assert "".join(sorted(path.parent.name for path in tmp_path.glob("*/model.keras"))) == left
