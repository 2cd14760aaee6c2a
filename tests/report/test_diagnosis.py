from __future__ import annotations

import itertools
import shlex
from typing import Any

import numpy as np
import pytest
from omegaconf import open_dict

from dltrain.config.compose import Composer
from dltrain.report.diagnosis import GOOD, PROBLEM, diagnose
from dltrain.report.evidence import Diagnosis, Evidence
from dltrain.report.remedies import command

SETTINGS = {
    "trainer.epochs": 100,
    "optimizer.learning_rate": 0.01,
    "model._target_": "dltrain.models.mlp.mlp",
    "model.units": [64, 32],
    "model.dropout": 0.2,
    "model.activation": "relu",
    "regularizer.kernel": None,
    "schedule": None,
}
BASELINES = {
    "majority": {part: {"accuracy": 0.6} for part in ("train", "validation", "test")},
    "logistic regression": {part: {"accuracy": 0.8} for part in ("train", "validation", "test")},
}
ROWS = {"train": 2_000, "validation": 500, "test": 500}


def course(train: Any, validation: Any = None) -> list[dict[str, float]]:
    validation = train if validation is None else validation
    return [{"loss": float(a), "val_loss": float(b)} for a, b in zip(train, validation, strict=True)]


def falling(epochs: int = 60) -> Any:
    return 0.3 + 0.7 * np.exp(-np.arange(epochs) / 8)


def evidence(**changed: Any) -> Evidence:
    """A training without fault, but for what is changed."""
    whole: dict[str, Any] = {
        "history": course(falling()),
        "scores": {part: {"loss": 0.3, "accuracy": 0.9} for part in ("train", "validation", "test")},
        "baselines": BASELINES,
        "rows": ROWS,
        "best_epoch": 30,
        "settings": SETTINGS,
        "difference": difference(0.1, (0.05, 0.15)),
    }
    return Evidence(**whole | changed)


def difference(value: float, interval: tuple[float, float]) -> dict[str, Any]:
    return {"part": "test", "metric": "accuracy", "baseline": "logistic regression", "value": value} | {
        "interval": interval
    }


def scores(train: float, validation: float) -> dict[str, dict[str, float]]:
    return {"train": {"loss": 0.1, "accuracy": train}, "validation": {"loss": 0.1, "accuracy": validation}}


def layer(name: str, gradient: float | None, dead: float | None = None, kind: str = "Dense") -> dict[str, Any]:
    return {"name": name, "kind": kind, "weights": 100, "gradient_rms": gradient, "dead": dead}


def found(seen: Evidence) -> dict[str, Diagnosis]:
    return {each.title: each for each in diagnose(seen)}


def test_a_healthy_training_has_no_fault() -> None:
    titles = found(evidence())
    assert set(titles) == {"The baseline is beaten", "Train and validation agree", "Nothing stands out"}
    assert {each.level for each in titles.values()} == {GOOD}


@pytest.mark.parametrize(
    ("value", "interval", "title"),
    [
        (-0.02, (-0.05, 0.01), "The baseline is not beaten"),
        (0.02, (-0.01, 0.05), "The lead over the baseline is not certain"),
        (0.02, (0.01, 0.05), "The baseline is beaten"),
    ],
)
def test_baseline(value: float, interval: tuple[float, float], title: str) -> None:
    assert title in found(evidence(difference=difference(value, interval)))


def test_overfitting_is_more_than_the_noise_of_the_validation_rows() -> None:
    assert found(evidence(scores=scores(0.99, 0.85)))["Overfitting"].tries[0] == ("model.dropout=0.5",)
    # Twenty rows say little about the same gap.
    assert "Overfitting" not in found(evidence(scores=scores(0.99, 0.85), rows=ROWS | {"validation": 20}))


def test_scores_of_train_rows_that_find_themselves_are_no_overfitting() -> None:
    titles = found(evidence(scores=scores(0.99, 0.85), flattered=True))
    assert "Overfitting" not in titles
    assert "Train and validation agree" not in titles
    assert "no row is its own neighbor" in titles["The train rows do not tell of overfitting"].text
    rising = course(falling(), np.concatenate([falling(30), np.linspace(0.4, 0.9, 30)]))
    assert "It would overfit if it went on" in found(evidence(history=rising, flattered=True))


def test_underfitting_is_no_better_than_a_linear_model_on_train() -> None:
    problem = found(evidence(scores=scores(0.79, 0.78)))["Underfitting"]
    assert problem.level == PROBLEM
    assert ("model.units=[128,64]",) in problem.tries


def test_perfect_scores_are_no_underfitting_where_the_baseline_is_perfect_too() -> None:
    perfect = {name: {part: {"accuracy": 1.0} for part in ROWS} for name in ("majority", "logistic regression")}
    perfect["majority"] = BASELINES["majority"]
    assert "Underfitting" not in found(evidence(scores=scores(1.0, 1.0), baselines=perfect))


def test_validation_loss_that_rises_after_the_best_epoch() -> None:
    validation = np.concatenate([falling(20), np.linspace(0.4, 0.6, 40)])
    assert "It would overfit if it went on" in found(evidence(history=course(falling(), validation)))


def test_best_epoch_at_the_limit_stopped_too_early() -> None:
    seen = evidence(history=course(falling(100)), best_epoch=100)
    assert found(seen)["Stopped too early"].tries == (("trainer.epochs=200",),)


def test_loss_that_never_moves_is_a_plateau() -> None:
    assert "Plateau from the start" in found(evidence(history=course(np.full(60, 0.7))))


def test_loss_that_stops_moving_is_a_plateau() -> None:
    flat = np.concatenate([np.linspace(1, 0.4, 40), np.full(60, 0.4)])
    assert "Plateau" in found(evidence(history=course(flat), best_epoch=40))


def test_loss_that_jumps_has_too_high_a_rate() -> None:
    jumping = falling() + np.tile([0.0, 0.3], 30)
    assert found(evidence(history=course(jumping)))["Learning rate too high"].tries == (
        ("optimizer.learning_rate=0.001",),
    )


def test_loss_that_falls_in_a_straight_line_to_the_limit_has_too_low_a_rate() -> None:
    straight = np.linspace(1, 0.9, 100)
    assert "Learning rate too low" in found(evidence(history=course(straight), best_epoch=100))


def test_vanishing_and_exploding_gradients_and_dead_units() -> None:
    assert "Vanishing gradients" in found(evidence(layers=[layer("first", 1e-9), layer("head", 1e-2)]))
    assert "Exploding gradients" in found(evidence(layers=[layer("first", 1e3), layer("head", 1e-2)]))
    assert "Dead units" in found(evidence(layers=[layer("activation", None, dead=0.8)]))
    healthy = [layer("first", 1e-3), layer("activation", None, dead=0.1), layer("head", 1e-2)]
    assert "Nothing stands out" in found(evidence(layers=healthy))


def test_undefined_metrics_and_few_epochs_are_no_fault_of_the_diagnosis() -> None:
    nothing = {part: {"loss": 0.3, "accuracy": None} for part in ("train", "validation")}
    diagnose(evidence(scores=nothing, history=course([0.5]), best_epoch=1, difference=None, baselines={}))


def test_command_replaces_what_it_changes() -> None:
    assert command(["dataset=titanic", "model.dropout=0.1"], ["model.dropout=0.5"]) == (
        "dltrain model.dropout=0.5 dataset=titanic"
    )
    assert command(["+a=b c"], (), "--config-dir", "my conf") == "dltrain --config-dir 'my conf' '+a=b c'"


def test_what_the_run_had_already_is_not_suggested() -> None:
    vanishing, exploding = [layer("first", 1e-9), layer("head", 1e-2)], [layer("first", 1e3), layer("head", 1e-2)]
    had = {"settings": SETTINGS | {"optimizer.global_clipnorm": 1, "optimizer.learning_rate": 0.01}}
    had["choices"] = {"initializer": "he_normal"}
    assert found(evidence(layers=vanishing, **had))["Vanishing gradients"].tries == (("normalization=batch",),)
    assert found(evidence(layers=exploding, **had))["Exploding gradients"].tries == (
        ("optimizer.learning_rate=0.001",),
    )


FAULTY = {
    "bias": {"scores": scores(0.79, 0.78)},
    "variance": {"scores": scores(0.99, 0.85)},
    "early": {"history": course(falling(100)), "best_epoch": 100},
    "flat": {"history": course(np.full(60, 0.7))},
    "plateau": {"history": course(np.r_[np.linspace(1, 0.4, 40), np.full(60, 0.4)]), "best_epoch": 40},
    "jumps": {"history": course(falling() + np.tile([0.0, 0.3], 30))},
    "vanishing": {"layers": [layer("first", 1e-9), layer("head", 1e-2)]},
    "exploding": {"layers": [layer("first", 1e3), layer("head", 1e-2)]},
    "dead": {"layers": [layer("activation", None, dead=0.8)]},
    "lost": {"difference": difference(-0.1, (-0.2, 0.0))},
}


def test_every_command_that_is_suggested_can_be_run() -> None:
    from dltrain.config.settings import settings_of

    composer = Composer()
    for model in (("model=mlp",), ("model=linear",), ("model=text_bag", "dataset=imdb")):
        config = composer.compose([*model, "trainer.epochs=100"])
        with open_dict(config):
            del config["hydra"]
        settings = settings_of(config)
        found = [each for faulty in FAULTY.values() for each in diagnose(evidence(**faulty, settings=settings))]
        for words in dict.fromkeys(itertools.chain.from_iterable(each.tries for each in found)):
            composer.compose(shlex.split(command([*model, "trainer.epochs=100"], words))[1:])
