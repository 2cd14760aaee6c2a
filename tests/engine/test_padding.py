from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine.engine import Engine
from dltrain.engine.padding import ignores_padding, without_padding
from dltrain.models.parts import mean_of_words
from dltrain.preprocessing.rows import Resident

IDS = np.array([[3, 1, 0, 0, 0], [2, 0, 0, 0, 0], [1, 2, 2, 0, 0], [3, 3, 0, 0, 0]], np.int32)
TARGETS = np.array([[1.0], [0.0], [1.0], [0.0]], np.float32)


def network(kind: str) -> Any:
    keras.utils.set_random_seed(3)
    ids = keras.Input((5,), dtype="int32", name="text")
    words = keras.layers.Embedding(4, 2, mask_zero=kind == "rnn", name="words")(ids)
    hidden = {
        "bag": lambda: mean_of_words(words, ids),
        "sum": lambda: keras.ops.sum(words, axis=1),  # of padding too
        "rnn": lambda: keras.layers.Bidirectional(keras.layers.GRU(2))(keras.layers.SpatialDropout1D(0.5)(words)),
        "rnn without mask": lambda: keras.layers.LSTM(2)(words),
        "cnn": lambda: keras.layers.GlobalMaxPooling1D()(keras.layers.Conv1D(2, 3, padding="same")(words)),
        "drops words": lambda: mean_of_words(keras.layers.Dropout(0.5, noise_shape=(None, None, 1))(words), ids),
        "words": lambda: keras.layers.Flatten()(words),
    }[kind]()
    model = keras.Model({"text": ids}, keras.layers.Dense(1, "sigmoid")(hidden))
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize(
    ("kind", "ignores"),
    [("bag", True), ("rnn", True)]
    + [(kind, False) for kind in ("sum", "rnn without mask", "cnn", "drops words", "words")],
)
def test_padding_is_ignored_where_it_changes_no_number(kind: str, ignores: bool) -> None:
    assert ignores_padding(network(kind)) == (["text"] if ignores else [])


@pytest.mark.parametrize("kind", ["bag", "rnn"])
def test_training_without_padding_has_the_numbers_of_fit(kind: str) -> None:
    ours, theirs, rows = keras.callbacks.History(), network(kind), Resident({"text": IDS}, TARGETS)
    engine = Engine(network(kind), batch_size=2, shuffle=False, seed=0)
    engine.train(rows, rows, epochs=2, callbacks=[ours])
    options: dict[str, Any] = {"batch_size": 2, "epochs": 2, "shuffle": False, "verbose": 0}
    fitted = theirs.fit({"text": IDS}, TARGETS, validation_data=({"text": IDS}, TARGETS), **options)
    assert engine.graphs.predict(next(rows.blocks(np.arange(4), 4))).shape == (4, 1)
    for name, values in ours.history.items():
        np.testing.assert_allclose(values, fitted.history[name], atol=1e-6, err_msg=name)


def test_a_batch_without_any_word_keeps_one_column() -> None:
    cut = without_padding({"text": tf.zeros((2, 5), tf.int32), "table": tf.ones((2, 3))}, ["text"])
    assert {name: tuple(each.shape) for name, each in cut.items()} == {"text": (2, 1), "table": (2, 3)}
