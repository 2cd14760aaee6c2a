"""The engine against Keras' `fit`: the same model, rows, order and seed give the same numbers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine.engine import Engine
from dltrain.preprocessing import rows as sources
from dltrain.preprocessing.prepared import training_weights
from dltrain.training.augmentation import build_augmentation
from dltrain.training.callbacks import MovingAverage

EPOCHS = 2
BACKBONE = ("dataset.image_size=32", "model=efficientnet", "model.weights=none")
LINEAR = ("model=linear",)  # as good for the loss, the metrics and the weights of a task
CASES = {
    "binary": (),
    "multiclass": ("dataset.problem=multiclass", *LINEAR),
    "multilabel": ("dataset.problem=multilabel", *LINEAR),
    "regression": ("dataset.problem=regression", *LINEAR),
    "gaussian": ("dataset.problem=regression", "task=gaussian_regression", *LINEAR),
    "unit_regression": ("dataset.problem=unit_regression", *LINEAR),
    "class_weights": ("dataset.problem=multiclass", "task.class_weight=balanced", *LINEAR),
    "what_a_step_changes": (
        *("model.units=[4,3]", "model.dropout=0.5", "dataset.problem=regression", "regularizer=l2"),
        *("optimizer.global_clipnorm=0.1", "schedule=cosine", "schedule.warmup_epochs=1", "trainer.epochs=3"),
    ),
    "words": ("dataset.kind=text", "dataset.problem=regression", "model=text_bag", "model.dropout=0.3"),
    "images": (
        "dataset.kind=image",
        "model=cnn",
        "model.filters=[2]",
        "model.residual=true",
        "dataset.problem=multiclass",
    ),
    "augmented_images": (
        *("dataset.kind=image", "model=cnn", "model.filters=[2]", "dataset.problem=multiclass"),
        "augmentation=[rotation,translation]",
    ),
    "images_blended": ("dataset.kind=image", "model=cnn", "model.filters=[2]", "augmentation=[cutout,mixup]"),
    "images_by_group": ("dataset.kind=image", "model=cnn", "model.filters=[4]", "normalization=group"),
    "backbone": ("dataset.kind=image", *BACKBONE),
    "augmented_backbone": ("dataset.kind=image", *BACKBONE, "augmentation=mirroring"),
    "members": ("model=tabular", "model.units=[4,3]", "model.ensemble=3", "dataset.problem=regression"),
    "members_of_gaussian": (
        *("model=tabular", "model.units=[3]", "model.ensemble=2"),
        *("dataset.problem=regression", "task=gaussian_regression"),
    ),
    "members_of_classes": ("model=tabular", "model.units=[3]", "model.ensemble=2", "dataset.problem=multiclass"),
    "ngrams": ("dataset.kind=text", "model=text_linear", "text=ngrams", "model.dropout=0.3"),
    "convolutions": ("dataset.kind=text", "dataset.problem=regression", "model=text_cnn", "model.filters=2"),
    "recurrent": ("dataset.kind=text", "dataset.problem=regression", "model=text_rnn", "model.recurrent_units=2"),
    "attention": ("dataset.kind=text", "dataset.problem=regression", "model=text_transformer", "model.dimension=4"),
    "neighbors": ("model=modern_nca", "model.neighbors=20", "encoding=embedding"),
    "embedded_categories": ("encoding=embedding", "dataset.problem=regression"),
}

# Each of their parts is in another case, or layers over words take seconds to trace.
SLOW = (
    *("images_blended", "augmented_backbone", "members_of_gaussian", "members_of_classes", "convolutions"),
    *("recurrent", "attention", "images", "images_by_group", "backbone", "members", "neighbors", "embedded_categories"),
)


class Logs(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(dict(logs))


def weights_of(stage: Any) -> Any:
    return training_weights(stage.task.get("class_weight"), stage.data.truth("train"))


def augmentation_of(stage: Any) -> Any:
    return build_augmentation(stage.config.augmentation, stage.data, stage.config.seed)


def engine_of(stage: Any) -> Engine:
    trainer, seed = stage.config.trainer, stage.config.seed
    changes = augmentation_of(stage)
    return Engine(stage.network, batch_size=stage.batch_size, shuffle=trainer.shuffle, seed=seed, augmentation=changes)


def train(stage: Any, *also: Any) -> list[dict[str, float]]:
    logs = Logs()
    sources_of_parts = stage.data.source("train", weights_of(stage)), stage.data.source("validation")
    engine_of(stage).train(*sources_of_parts, epochs=EPOCHS, callbacks=[*also, logs])
    return logs.epochs


def augmented(stage: Any, rows: dict[str, Any], weights: Any, epoch: int) -> tuple[dict[str, Any], Any]:
    """The rows of an epoch, batch by batch as the steps of the engine change them."""
    changes = augmentation_of(stage)
    if changes is None:
        return rows, weights
    size, count = stage.batch_size, len(rows["image"])
    batches = []
    for step, first in enumerate(range(0, count, size), start=epoch * -(-count // size)):
        own = None if weights is None else weights[first : first + size]
        batches.append(changes({name: values[first : first + size] for name, values in rows.items()}, own, step))
    found = {name: np.concatenate([np.asarray(batch[name]) for batch, _ in batches]) for name in rows}
    return found, None if batches[0][1] is None else np.concatenate([np.asarray(own) for _, own in batches])


def fit(stage: Any) -> list[dict[str, float]]:
    """Epoch by epoch with Keras, on rows in the engine's order."""
    data, engine, logs, weights = stage.data, engine_of(stage), Logs(), weights_of(stage)
    features, targets = data.features("train"), data.truth("train").column
    validation = (data.features("validation"), data.truth("validation").column)
    for epoch in range(EPOCHS):
        order = engine.order(epoch, len(targets))
        rows = {name: values[order] for name, values in features.items()}
        rows, counts = augmented(stage, rows, None if weights is None else weights[order], epoch)
        stage.network.fit(
            rows,
            targets[order],
            sample_weight=counts,
            batch_size=stage.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            validation_data=validation,
            validation_batch_size=1024,
            callbacks=[logs],
            verbose=0,
        )
    return logs.epochs


def assert_same(found: list[dict[str, float]], expected: list[dict[str, float]], tolerance: float) -> None:
    assert len(found) == len(expected) == EPOCHS
    for one, other in zip(found, expected, strict=True):
        assert set(one) == set(other)
        assert {"loss", "val_loss"} < set(one)
        for name, value in one.items():
            assert value == pytest.approx(other[name], rel=tolerance, abs=tolerance), name


@pytest.mark.parametrize("case", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CASES])
def test_both_engines_give_the_numbers_of_fit(
    case: str, stage_of: Any, small_backbone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.applications, "EfficientNetB0", small_backbone)
    small = [] if any(word.startswith("model") for word in CASES[case]) else ["model.units=[3]"]
    # 36 train rows: a full batch of 16 twice, and a remainder.
    overrides = (*CASES[case], *small, "trainer.batch_size=16")
    resident = stage_of(*overrides, "trainer.engine=resident")
    history = train(resident)

    expected = stage_of(*overrides)
    assert_same(history, fit(expected), 1e-6)
    for one, other in zip(resident.network.get_weights(), expected.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)

    monkeypatch.setattr(sources, "BLOCK_ROWS", 16)
    streaming = stage_of(*overrides, "trainer.engine=streaming")
    assert not streaming.data.resident
    # A mean over three labels is no sum of binary fractions, so that its last bit depends on the steps in a call.
    assert_same(train(streaming), history, 1e-7 if case == "multilabel" else 0)
    for one, other in zip(streaming.network.get_weights(), resident.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def fit_at_once(stage: Any, *also: Any) -> list[dict[str, float]]:
    """In one call of Keras, which takes the rows as they come."""
    data, logs = stage.data, Logs()
    stage.network.fit(
        data.features("train"),
        data.truth("train").column,
        validation_data=(data.features("validation"), data.truth("validation").column),
        batch_size=stage.batch_size,
        epochs=EPOCHS,
        shuffle=False,
        callbacks=[*also, logs],
        verbose=0,
    )
    return logs.epochs


IN_ORDER = ("model.units=[3]", "trainer.shuffle=false", "dataset.problem=regression")


def test_without_shuffling_one_call_of_fit_gives_the_same(stage_of: Any) -> None:
    assert_same(train(stage_of(*IN_ORDER)), fit_at_once(stage_of(*IN_ORDER)), 1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_moving_average_is_that_of_keras(stage_of: Any, optimizer: str) -> None:
    words = (*IN_ORDER, f"optimizer={optimizer}", "optimizer.use_ema=true", "optimizer.ema_momentum=0.5")
    ours, other = stage_of(*words, "trainer.batch_size=8"), stage_of(*words, "trainer.batch_size=8")
    history = train(ours, MovingAverage())
    assert_same(history, fit_at_once(other, keras.callbacks.SwapEMAWeights(swap_on_epoch=True)), 1e-6)
    for one, another in zip(ours.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, another, rtol=1e-5, atol=1e-6)


def test_dropout_and_order_matter_to_the_numbers(stage_of: Any) -> None:
    plain = train(stage_of("model.units=[3]", "model.dropout=0.0", "dataset.problem=regression"))
    dropped = train(stage_of("model.units=[3]", "model.dropout=0.5", "dataset.problem=regression"))
    ordered = train(
        stage_of("model.units=[3]", "model.dropout=0.0", "dataset.problem=regression", "trainer.shuffle=false")
    )
    assert len({history[-1]["loss"] for history in (plain, dropped, ordered)}) == 3
