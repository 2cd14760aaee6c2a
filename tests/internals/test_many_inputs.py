import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.internals.many_inputs import flatten_once

COLUMNS = 60


def _model() -> keras.Model:
    inputs = {f"x{place}": keras.Input((1,), name=f"x{place}") for place in range(COLUMNS)}
    return keras.Model(inputs, {"table": keras.layers.Concatenate()(list(inputs.values()))})


def test_the_inputs_of_a_model_are_flattened_a_few_times_and_not_for_each_of_them(monkeypatch, tmp_path):
    flatten_once()
    flatten_once()  # as every module that builds models does
    flatten, lengths = keras.src.tree.flatten, []

    def counting(structure):
        leaves = flatten(structure)
        lengths.append(len(leaves))
        return leaves

    monkeypatch.setattr(keras.src.tree, "flatten", counting)
    model = _model()
    assert lengths.count(COLUMNS) < 15
    model.save(tmp_path / "model.keras")
    lengths.clear()
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert lengths.count(COLUMNS) < 30
    row = {name: np.full((1, 1), place, np.float32) for place, name in enumerate(model.input)}
    np.testing.assert_array_equal(loaded(row)["table"], [np.arange(COLUMNS)])


def test_the_rows_that_went_through_a_model_are_not_held():
    flatten_once()
    model = _model()
    rows = {name: tf.zeros((2, 1)) for name in model.input}
    held = weakref.ref(rows["x0"])
    model(rows)
    del rows
    gc.collect()
    assert held() is None


def test_a_list_that_has_changed_is_flattened_anew():
    flatten_once()
    from keras.src.ops import function

    tensors = [keras.KerasTensor((1,)), keras.KerasTensor((1,))]
    assert len(function.tree.flatten(tensors)) == 2
    tensors.append(keras.KerasTensor((1,)))
    assert len(function.tree.flatten(tensors)) == 3


def test_a_keras_that_is_made_otherwise_is_left_alone(monkeypatch):
    from keras.src.ops import function

    monkeypatch.delattr(function, "tree")
    flatten_once()
    with pytest.raises(AttributeError):
        function.tree  # noqa: B018
