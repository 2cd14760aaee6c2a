from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.engine.read_numbers import (
    ReadNumber,
    common_penalties,
    kinds,
    left_out,
    other_numbers,
    plain_numbers,
    read_numbers,
)


def model(rate: float = 0.3, *, dtype: str = "float32") -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4, 3))
    hidden = keras.layers.SpatialDropout1D(rate, dtype=dtype)(inputs)
    hidden = keras.layers.Dense(2, kernel_regularizer="l2", bias_regularizer=keras.regularizers.L1L2(0.1, 0))(hidden)
    hidden = keras.layers.Dense(2, activity_regularizer=keras.regularizers.L2(0.3))(hidden)
    return keras.Model(inputs, keras.layers.Dropout(rate)(keras.layers.Flatten()(hidden)))


def losses_and_answers(made: keras.Model) -> list[Any]:
    def both(rows: Any) -> Any:
        answers = made(rows, training=True)
        return tf.add_n(made.losses), answers

    loss, answers = tf.function(both)(tf.ones((5, 4, 3)))
    return [float(loss), answers.numpy()]


def test_a_graph_gives_what_it_gave_with_constants() -> None:
    before, made = losses_and_answers(model()), model()
    variables = read_numbers(made)
    # Two rates with their scales, l2 of the kernel and l1 of the bias.
    assert len(variables) == 6
    assert read_numbers(made)[0] is variables[0]
    for mine, theirs in zip(losses_and_answers(made), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_graph_reads_the_variables() -> None:
    made, other = model(0.3), model(0.6)
    rates = read_numbers(made)
    for variable, value in zip(rates, read_numbers(other), strict=True):
        variable.assign(value)
    np.testing.assert_array_equal(losses_and_answers(made)[-1], losses_and_answers(other)[-1])


def test_what_is_saved_and_copied_holds_plain_numbers(tmp_path: Any) -> None:
    made = model()
    plain = json.loads(made.to_json())
    read_numbers(made)
    assert json.loads(made.to_json()) == plain
    made.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1].rate) is float
    copied = keras.models.clone_model(made)
    np.testing.assert_array_equal(copied(np.ones((1, 4, 3))).shape, (1, 8))


def test_numbers_in_16_bits_and_of_outputs_stay_constants() -> None:
    made = model(dtype="mixed_bfloat16")
    assert len(read_numbers(made)) == 4
    assert type(made.layers[1].rate) is float
    assert type(made.layers[3].activity_regularizer.l2) is float


def test_the_configuration_tells_all_other_numbers() -> None:
    made = model()
    with left_out(made), left_out(made):
        text = made.to_json()
    assert "0.3" in text  # of the outputs' regularizer
    assert made.layers[1].rate == 0.3
    with left_out(model(0.7)):
        pass
    read_numbers(made)
    with left_out(made):
        assert made.to_json().count("0.5") == text.count("0.5")
    assert isinstance(made.layers[1].rate, ReadNumber)


@pytest.mark.parametrize("number", [0.1, 1e-7, 0.999])
def test_a_read_number_is_a_number(number: float) -> None:
    assert ReadNumber(number) == number
    assert json.dumps({"rate": ReadNumber(number)}) == json.dumps({"rate": number})


def test_other_numbers_are_plain_ones_for_keras() -> None:
    made = model()
    common_penalties(made, [["l1", "l2"] for _ in kinds(made)])
    before = [float(variable) for variable in read_numbers(made)]
    penalty, rate = made.layers[2].kernel.regularizer, made.layers[1].rate
    with other_numbers(made):
        changed = [float(variable) for variable in read_numbers(made)]
        with plain_numbers(made):
            assert type(made.layers[1].rate) is float
            assert made.layers[1].rate == changed[0]
            assert type(made.layers[2].kernel.regularizer) is keras.regularizers.L1L2
            assert made.layers[2].kernel.regularizer.l2 == changed[3]
    assert all(abs(one - other) > 0.01 for one, other in zip(before, changed, strict=True))
    assert [float(variable) for variable in read_numbers(made)] == before
    assert made.layers[2].kernel.regularizer is penalty
    assert made.layers[1].rate is rate
