from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from dltrain.config.compose import Composer, conf_directory
from dltrain.config.model_rules import OF_IMAGES, OF_TABLES, OF_TEXTS, faults

TABULAR = {"numeric_embedding": "none", "clamp": False, "units": [8], "ensemble": 1, "dropout": 0.0}


def config(name: str, model: Any = None, **nodes: Any) -> DictConfig:
    text = {"output": "sequence", "ngrams": 1} | nodes.pop("text", {})
    own = TABULAR if name in ("tabular", "modern_nca.modern_nca") else {}
    base = {"task": {"name": "regression"}, "regularization_schedule": None, "optimizer": {}}
    return OmegaConf.create(
        {**base, "model": {"_target_": f"dltrain.models.{name}", **own, **(model or {})}, "text": text, **nodes}
    )


@pytest.mark.parametrize(
    ("composed", "words", "sentence"),
    [
        (config("text_bag", text={"output": "tf_idf"}), [], "text.output: model=text_bag reads n-gram numbers"),
        (config("text_cnn", text={"output": "set"}), [], "text.output: model=text_cnn reads words in their order"),
        (config("text_cnn", text={"ngrams": 2}), [], "text.ngrams: model=text_cnn reads words in their order"),
        (config("mlp", text={"output": "count"}), ["text.sequence_length"], "text.sequence_length has no effect"),
        (config("text_rnn", {"cell": "rnn"}), [], "model.cell: expected lstm or gru, got 'rnn'"),
        (config("text_transformer", {"dimension": 10, "heads": 4}), [], "model.heads: 4 does not divide"),
        (config("tabular", {"numeric_embedding": "periodc"}), [], "Did you mean 'periodic'"),
        (config("tabular"), ["model.bins"], "model.bins has no effect with model.numeric_embedding=none"),
        (config("modern_nca.modern_nca", {"numeric_embedding": "periodc"}), [], "Did you mean 'periodic'"),
        (config("modern_nca.modern_nca"), ["model.bins"], "model.bins has no effect with model.numeric_embedding=none"),
        (
            config("modern_nca.modern_nca", task={"name": "quantile_regression"}),
            [],
            "model: modern_nca answers with a mean of targets, and task=quantile_regression wants more",
        ),
        (config("tabular", {"units": []}), ["model.dropout"], "model.dropout has no effect without a hidden layer"),
        (config("tabular", {"units": [], "ensemble": 4}), [], "model.ensemble: without a hidden layer"),
        (
            config(
                "text_linear",
                {"fitted_start": True, "naive_bayes": True, "normalize": True, "dropout": 0.0},
                task={"name": "regression"},
                text={"output": "set"},
            ),
            ["model.fitted_start"],
            "model.fitted_start has no effect with task=regression",
        ),
        (
            config("tabular", {"clamp": True}, task={"name": "binary"}),
            ["model.clamp"],
            "model.clamp has no effect with task=binary",
        ),
        (
            config("tabular", {"ensemble": 4}, task={"name": "regression", "loss": {"_target_": "keras.losses.Huber"}}),
            [],
            "task.loss: with model.ensemble=4",
        ),
        (config("mlp", {"dropout": 0.0}, regularization_schedule={"dropout": True}), [], "has no effect here"),
        (
            config("mlp", {"dropout": 0.0}, task={"name": "gaussian_regression", "monte_carlo_dropout": 5}),
            [],
            "model.dropout=0 drops no units",
        ),
    ],
)
def test_an_option_that_cannot_work_is_one_fault(composed: DictConfig, words: list[str], sentence: str) -> None:
    (found,) = faults(composed, words)
    assert sentence in found


@pytest.mark.parametrize(
    "composed",
    [
        config("tabular", {"clamp": True}),
        config(
            "tabular", {"ensemble": 4}, task={"name": "binary", "loss": {"_target_": "keras.losses.BinaryCrossentropy"}}
        ),
        config("text_bag", text={"output": "set", "ngrams": 2}),
        config("mlp", {"dropout": 0.2}, regularization_schedule={"dropout": True}),
        config("mlp", optimizer={"weight_decay": 0.1}, regularization_schedule={"weight_decay": True}),
    ],
)
def test_what_fits_is_no_fault(composed: DictConfig) -> None:
    assert list(faults(composed, ["model.clamp"])) == []


def test_defaults_without_effect_are_no_fault() -> None:
    assert list(faults(config("tabular", {"units": [], "dropout": 0.2}), [])) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "dataset=cifar10 model=text_cnn",
            "needs a column of text, got the images of cifar10. Use model=cnn.",
        ),
        ("dataset=imdb model=cnn", "model: cnn needs images, got texts (imdb). Use model=text_bag."),
        ("dataset=wine model=cnn", "model: cnn needs images, got a table (wine). Use model=mlp."),
        ("dataset=titanic model=text_rnn", "got a table without one (titanic). Use model=mlp."),
    ],
)
def test_model_of_other_data_is_refused_before_a_download(words: str, expected: str) -> None:
    assert [fault for fault in Composer().check(words.split())[1] if expected in fault]


@pytest.mark.parametrize("name", [*OF_IMAGES, *OF_TEXTS, *OF_TABLES])
def test_each_dataset_of_a_known_kind_is_shipped(name: str) -> None:
    file = conf_directory() / "dataset" / f"{name}.yaml"
    assert f"_target_: dltrain.data.{name}." in file.read_text()
