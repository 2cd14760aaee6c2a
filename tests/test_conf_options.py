"""Every option that conf/ ships builds and trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.config.compose import conf_directory

# A regression has the cheapest metrics; four units, since group normalization makes four groups.
# Several steps: a schedule may begin at a rate of 0.
CHEAP = ("dataset.problem=regression", "dataset.rows=40", "trainer.batch_size=8")
MLP = ("model.units=[4]", "model.dropout=0.0")
LINEAR = ("model=linear",)  # without hidden layers half the time goes
IMAGES_ONLY = "instance"
# One of each group whose options also reach the hidden layers.
HIDDEN = {("initializer", "too_large"), ("regularizer", "course")}


def options(group: str) -> list[str]:
    found = sorted(path.stem for path in (conf_directory() / group).glob("*.yaml"))
    assert found, f"conf/{group} is empty"
    return found


CHOICES = [
    (group, option)
    for group in ("optimizer", "initializer", "regularizer", "normalization", "schedule")
    for option in options(group)
    if (group, option) != ("normalization", IMAGES_ONLY)
]


def reaches_hidden_layers(group: str, option: str) -> bool:
    return group == "normalization" or (group, option) in HIDDEN


@pytest.mark.parametrize(
    ("group", "option", "model"),
    [
        *((*choice, MLP if reaches_hidden_layers(*choice) else LINEAR) for choice in CHOICES),
        *(
            pytest.param(*choice, MLP, marks=pytest.mark.slow)
            for choice in CHOICES
            if not reaches_hidden_layers(*choice)
        ),
    ],
    ids=str,
)
def test_option_trains_an_epoch(
    stage_of: Any, train_stage: Any, tmp_path: Path, group: str, option: str, model: tuple[str, ...]
) -> None:
    stage = stage_of(*CHEAP, *model, f"{group}={option}", *([] if group == "schedule" else ["callbacks=learning_rate"]))
    before = [np.array(weight) for weight in stage.network.trainable_weights]
    (logs,) = train_stage(stage, tmp_path).history
    assert np.isfinite(list(logs.values())).all()
    assert {"loss", "rmse", "mae", "val_loss", "val_rmse", "val_mae"} <= set(logs)
    after = stage.network.trainable_weights
    assert any((one != np.array(other)).any() for one, other in zip(before, after, strict=True))


# What these callbacks need to have something to record.
RECORDED = {
    "augmented_images": ("dataset.kind=image", "model=linear"),
    "batch_statistics": ("model=mlp", "model.units=[2]", "model.dropout=0"),
    "dropout_masks": ("model=mlp", "model.units=[2]", "model.dropout=0.5"),
}


@pytest.mark.parametrize("option", options("callbacks"))
def test_callbacks_train_an_epoch(stage_of: Any, train_stage: Any, tmp_path: Path, option: str) -> None:
    stage = stage_of(*CHEAP, *RECORDED.get(option, ("model=linear",)), f"callbacks={option}")
    assert len(stage.config.callbacks) == (6 if option == "default" else 1)
    assert len(train_stage(stage, tmp_path).history) == 1


TASKS = ("binary", "multiclass", "multilabel", "regression", "gaussian_regression", "unit_regression")


@pytest.mark.parametrize("task", TASKS)
def test_each_row_of_the_head_table_trains(stage_of: Any, train_stage: Any, tmp_path: Path, task: str) -> None:
    problem = task.removeprefix("gaussian_")
    stage = stage_of(f"dataset.problem={problem}", f"task={task}", "model=linear", "callbacks=learning_rate")
    expected = {
        "binary": ("sigmoid", 1, {"accuracy", "auc"}),
        "multiclass": ("softmax", 3, {"accuracy"}),
        "multilabel": ("sigmoid", 3, {"accuracy", "auc"}),
        "regression": ("linear", 1, {"rmse", "mae"}),
        "gaussian_regression": ("linear", 2, {"rmse", "mae", "log_likelihood"}),
        "unit_regression": ("sigmoid", 1, {"rmse", "mae", "accuracy"}),
    }
    activation, units, metrics = expected[task]
    head = stage.network.get_layer("head")
    assert (head.activation.__name__, head.units) == (activation, units)
    (logs,) = train_stage(stage, tmp_path).history
    assert set(logs) == {f"{part}{name}" for part in ("", "val_") for name in {"loss", *metrics}} | {"learning_rate"}


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("table", "linear"),
        ("table", "mlp"),
        ("table", "tabular"),
        ("image", "linear"),
        ("image", "mlp"),
        ("image", "cnn"),
        ("text", "text_bag"),
        *(("text", f"text_{name}") for name in ("linear", "cnn", "rnn", "transformer")),
    ],
)
def test_each_model_trains_on_the_data_it_is_for(
    stage_of: Any, train_stage: Any, tmp_path: Path, kind: str, model: str
) -> None:
    sizes = {
        **{"mlp": "model.units=[4]", "text_bag": "model.dimension=3", "cnn": "model.filters=[2]"},
        **{
            "text_rnn": "model.recurrent_units=2",
            "text_transformer": "model.dimension=4",
            "text_cnn": "model.filters=2",
        },
    }
    small = [sizes[model]] if model in sizes else []
    if model in ("text_rnn", "text_transformer", "text_cnn"):
        small.append("text.sequence_length=6")
    image = ["dataset.image_size=4"] if kind == "image" else []
    stage = stage_of(*CHEAP, f"dataset.kind={kind}", f"model={model}", "callbacks=learning_rate", *small, *image)
    assert isinstance(stage.network, keras.Model)
    assert np.isfinite(list(train_stage(stage, tmp_path).history[0].values())).all()
