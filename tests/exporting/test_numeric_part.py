from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.config.tasks import REGRESSION
from dltrain.exporting.numeric_part import OF_MEMBERS, cut_lookups, in_32_bits
from dltrain.models.ensemble import average

WORDS = ["x", "y"]


def model_of(words: tuple[str, ...] = ("good", "bad"), length: int = 3, **text: Any) -> keras.Model:
    inputs = {
        "age": keras.Input((1,), dtype="float64", name="age"),
        "kind": keras.Input((1,), dtype="string", name="kind"),
        "words": keras.Input((1,), dtype="string", name="words"),
    }
    lookup = keras.layers.StringLookup(vocabulary=WORDS, mask_token="")
    vectors = keras.layers.TextVectorization(output_sequence_length=length, vocabulary=[*words], **text)
    parts = [
        keras.ops.cast(inputs["age"] * 0.5, "float32"),
        keras.layers.Flatten()(keras.layers.Embedding(4, 2)(lookup(inputs["kind"]))),
        keras.layers.Flatten()(keras.layers.Embedding(len(words) + 2, 2)(vectors(inputs["words"]))),
    ]
    return keras.Model(inputs, keras.layers.Dense(1, name="network")(keras.layers.Concatenate()(parts)))


def test_ids_in_place_of_words_give_the_same_answers_also_in_32_bits() -> None:
    model = model_of()
    age = np.array([[20.0], [30.0], [0.1]])
    raw = {
        "age": tf.constant(age),
        "kind": tf.constant([["y"], ["unknown"], [""]]),
        "words": tf.constant([["Good, bad!"], ["so good"], [""]]),
    }
    ids = {"kind": np.array([[3], [1], [0]]), "words": np.array([[2, 3, 0], [1, 2, 0], [0, 0, 0]])}
    part, lookups = cut_lookups(model)
    assert lookups == {"kind": {"words": WORDS}, "words": {"words": ["good", "bad"], "length": 3, "ngrams": 1}}
    expected = np.asarray(model(raw))
    np.testing.assert_allclose(np.asarray(part({"age": age, **ids})), expected, rtol=1e-6)
    narrow = in_32_bits(part)
    assert "float64" not in {each.dtype for each in narrow.input.values()}
    np.testing.assert_allclose(np.asarray(narrow({"age": age.astype(np.float32), **ids})), expected, rtol=1e-5)


def test_members_of_an_average_each_keep_their_own_words_in_64_and_32_bits() -> None:
    members = [model_of(), model_of(("new", "bad", "good"), length=4), model_of(("good", "new"), length=2)]
    raw = {
        "age": tf.constant([[20.0], [30.0], [0.1]], tf.float64),
        "kind": tf.constant([["y"], ["unknown"], [""]]),
        "words": tf.constant([["Good, bad!"], ["so new so good"], [""]]),
    }
    model = average(members, REGRESSION, counts=[1, 2, 1])
    part, lookups = cut_lookups(model)
    assert lookups["words"] == {"words": ["good", "bad", "new"], "length": 4, "ngrams": 1}
    ids = {
        "kind": np.array([[3], [1], [0]]),
        "words": np.array([[2, 3, 0, 0], [1, 4, 1, 2], [0, 0, 0, 0]]),
    }
    for narrow, dtype in ((part, np.float64), (in_32_bits(part), np.float32)):
        answers = narrow({"age": np.asarray(raw["age"], dtype), **ids})
        np.testing.assert_allclose(np.asarray(answers), np.asarray(model(raw)), rtol=1e-5)


def test_members_that_split_a_text_in_different_ways_have_no_companion() -> None:
    with pytest.raises(ConfigError, match=r"'words' in different ways.*saved_model"):
        cut_lookups(average([model_of(), model_of(ngrams=2)], REGRESSION))


def test_a_text_that_is_split_in_another_way_has_no_companion() -> None:
    model = model_of(split="character")
    with pytest.raises(ConfigError, match=r"character.*saved_model"):
        cut_lookups(model)


@pytest.mark.parametrize("outputs", [1, 2])
def test_tflite_takes_the_heads_of_several_members(outputs: int, tmp_path: Path) -> None:
    inputs = {"x": keras.Input((2, 3), dtype="float64", name="x")}
    heads = keras.layers.EinsumDense(
        OF_MEMBERS, output_shape=(2, outputs), bias_axes="ko", bias_initializer="normal", activation="relu"
    )
    within = keras.Input((2, 3))
    # The names are those that Keras gives first, as in a model that was loaded.
    summed = keras.ops.add(within, 0.0)
    network = keras.Model(within, keras.layers.Activation("relu", name="add_1")(heads(summed)), name="network")
    model = keras.Model(inputs, network(keras.ops.cast(inputs["x"], "float32")))
    rows = np.random.default_rng(0).normal(size=(5, 2, 3))
    in_32_bits(model).export(tmp_path / "model.tflite", format="litert", verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the interpreter announces that it moves
        runner = tf.lite.Interpreter(str(tmp_path / "model.tflite")).get_signature_runner("serving_default")
    (answers,) = runner(x=rows.astype(np.float32)).values()
    np.testing.assert_allclose(answers, np.asarray(model({"x": rows})), rtol=1e-5, atol=1e-6)
