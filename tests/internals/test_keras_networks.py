from __future__ import annotations

import keras
import numpy as np
import pytest

from dltrain.internals.keras_networks import calls, hash_of_efficientnet, inverse_frequencies, maker, noise_shape


def test_each_use_of_a_layer_is_told() -> None:
    first, second = keras.Input((2,)), keras.Input((2,))
    layer = keras.layers.Dense(1)
    outputs = [layer(first), layer(second)]
    assert [call.input_tensors[0] is each for call, each in zip(calls(layer), (first, second), strict=True)] == [
        True
    ] * 2
    assert all(maker(each) is layer for each in outputs)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (keras.layers.Dropout(0.5), (4, 3, 2), None),
        (keras.layers.SpatialDropout1D(0.5), (4, 3, 2), (4, 1, 2)),
        (keras.layers.SpatialDropout2D(0.5), (4, 3, 3, 2), (4, 1, 1, 2)),
    ],
)
def test_maps_are_dropped_whole(layer: keras.Layer, shape: tuple[int, ...], expected: tuple[int, ...] | None) -> None:
    assert noise_shape(layer, keras.ops.zeros(shape)) == expected


def test_words_of_many_texts_count_less() -> None:
    layer = keras.layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(["the cat", "the dog", "the end"])
    words = layer.get_vocabulary()
    weights = inverse_frequencies(layer)
    assert weights.shape == (len(words),)
    assert weights[words.index("the")] == pytest.approx(np.log(1 + 3 / (1 + 3)))
    assert weights[words.index("cat")] == pytest.approx(np.log(1 + 3 / (1 + 1)))


def test_every_variant_has_a_hash_of_its_own() -> None:
    assert len({hash_of_efficientnet(f"b{number}") for number in range(8)}) == 8
