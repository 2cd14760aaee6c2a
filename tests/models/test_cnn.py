"""The convolutional network: each option does what it says, for images of any size."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dltrain.base.errors import ConfigError
from dltrain.models.cnn import channels_for

IMAGES = ("dataset.kind=image", "dataset.rows=20", "dataset.problem=regression", "model=cnn", "callbacks=learning_rate")


def layers(network: keras.Model, kind: Any) -> list[Any]:
    return [layer for layer in network.layers if isinstance(layer, kind)]


def test_the_course_network(stage_of: Any) -> None:
    network = stage_of(*IMAGES, "dataset.image_size=8", "model.filters=[32]").network
    names = [type(layer).__name__ for layer in network.layers]
    assert names[1:5] == ["Conv2D", "BatchNormalization", "Activation", "MaxPooling2D"]
    (convolution,) = layers(network, keras.layers.Conv2D)
    assert (convolution.filters, convolution.kernel_size, convolution.strides, convolution.padding) == (
        32,
        (3, 3),
        (1, 1),
        "same",
    )
    assert not convolution.use_bias


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("model.residual=true",), {keras.layers.Add: 2, keras.layers.Conv2D: 6}),
        (("model.residual=true", "model.filters=[1,2]"), {keras.layers.Add: 2, keras.layers.Conv2D: 5}),
        (("model.pooling=average",), {keras.layers.AveragePooling2D: 2, keras.layers.MaxPooling2D: 0}),
        (("model.pooling=none",), {keras.layers.AveragePooling2D: 0, keras.layers.MaxPooling2D: 0}),
        (("model.end=flatten", "model.units=[3,4]"), {keras.layers.Flatten: 1, keras.layers.Dense: 3}),
        (("model.end=max",), {keras.layers.GlobalMaxPooling2D: 1, keras.layers.GlobalAveragePooling2D: 0}),
        (("model.dropout=0",), {keras.layers.SpatialDropout2D: 0}),
        (("model.dropout=0.5",), {keras.layers.SpatialDropout2D: 2}),
        (("normalization=none",), {keras.layers.BatchNormalization: 0}),
        (("normalization=group", "normalization.groups=2"), {keras.layers.GroupNormalization: 2}),
        (("normalization=instance", "model.units=[3]"), {keras.layers.GroupNormalization: 2}),
        (("normalization=layer", "model.units=[3]"), {keras.layers.GroupNormalization: 2}),
    ],
)
def test_each_option_changes_the_network(stage_of: Any, options: tuple[str, ...], expected: dict[Any, int]) -> None:
    small = () if any("filters" in option for option in options) else ("model.filters=[2,4]",)
    stage = stage_of(*IMAGES, "dataset.image_size=5", *small, *options)
    for kind, count in expected.items():
        assert len(layers(stage.network, kind)) == count, kind
    answers = np.asarray(stage.network(stage.data.features("train"), training=True))
    assert np.isfinite(answers).all()
    assert answers.std() > 0


def test_layer_normalization_goes_over_the_whole_image(stage_of: Any) -> None:
    network = stage_of(*IMAGES, "model.filters=[4]", "normalization=layer").network
    (layer,) = layers(network, keras.layers.GroupNormalization)
    seen = np.random.default_rng(0).normal(3, 2, (2, 8, 8, 4)).astype(np.float32)
    found = np.asarray(layer(seen)).reshape(2, -1)
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=1), 1, atol=1e-3)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 11),
    width=st.integers(1, 11),
    channels=st.sampled_from([1, 3]),
    stages=st.integers(1, 3),
    residual=st.booleans(),
)
def test_any_size_builds_or_is_refused(height: int, width: int, channels: int, stages: int, residual: bool) -> None:
    from dltrain.models.cnn import cnn
    from dltrain.models.parts import Head, Inputs, Regularizers

    def build() -> Any:
        image = keras.Input((height, width, channels), name="image")
        options: dict[str, Any] = {"kernel_size": 3, "activation": "relu", "pooling": "max", "end": "average"}
        answer = cnn(
            Inputs({"image": image}, {}, 0, None, 0, lambda name: image),
            Head("regression", 1, None, 0.0, 1.0),
            filters=[2] * stages,
            residual=residual,
            units=[],
            dropout=0.0,
            initializer=keras.initializers.HeNormal,
            regularizer=Regularizers(None, None),
            normalization=None,
            **options,
        )
        return keras.Model(image, answer)

    if min(height, width) <= 2 ** (stages - 1):
        with pytest.raises(ConfigError, match="too small"):
            build()
    else:
        assert build()(np.zeros((2, height, width, channels), np.float32)).shape == (2, 1)


def test_images_stand_beside_numbers(stage_of: Any, train_stage: Any, make_dataset: Any, tmp_path: Any) -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (30, 5, 7, 3)).astype(np.uint8)
    dataset = make_dataset({"photo": pixels, "age": generator.normal(size=30)}, generator.normal(size=30))
    stage = stage_of("model=cnn", "model.filters=[2]", "callbacks=learning_rate", "task=regression", dataset=dataset)
    assert set(stage.network.input) == {"image", "table"}
    assert stage.network.get_layer("head").input.shape[-1] == 3
    assert len(train_stage(stage, tmp_path).history) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model.pooling=min",), "model.pooling: expected max, average, none, got 'min'"),
        (("model.end=sum",), "model.end: expected average, max, flatten"),
        (("model.filters=[]",), "model.filters: expected the channels of one stage"),
        (("model.filters=[0]",), r"model.filters\[0\]: expected a number from 1 to"),
        (("model.kernel_size=0",), "model.kernel_size: expected a number from 1 to"),
        (("normalization=group", "model.filters=[6]"), "normalization.groups: 4 does not divide the 6 channels"),
    ],
)
def test_options_that_cannot_work(compose_config: Any, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_config("dataset.kind=image", "model=cnn", *words)


def test_tables_and_small_images_are_refused(stage_of: Any) -> None:
    with pytest.raises(ConfigError, match="model=cnn needs images"):
        stage_of("model=cnn")
    with pytest.raises(ConfigError, match="images of 2 x 2 pixels are too small for 2 poolings"):
        stage_of(*IMAGES, "dataset.image_size=2")
    assert stage_of(*IMAGES, "dataset.image_size=2", "model.pooling=none").network.count_params() > 0


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (1, 1, [32]), (8, 8, [32]), (16, 20, [32, 64]), (28, 28, [32, 64, 128]), (64, 64, [32, 64, 128, 128]),
        (65, 300, [32, 64, 128]),
    ],
)  # fmt: skip
def test_the_stages_follow_the_size(height: int, width: int, expected: list[int]) -> None:
    assert channels_for(height, width) == expected


def test_auto_builds_the_stages_of_the_size(stage_of: Any) -> None:
    network = stage_of(*IMAGES, "dataset.image_size=8", "model.filters=auto", "model.residual=true").network
    assert [layer.filters for layer in layers(network, keras.layers.Conv2D)] == [32, 32, 32]
    with pytest.raises(ConfigError, match=r"model\.filters: expected a list such as \[32,64\], or auto, got 'many'"):
        stage_of(*IMAGES, "model.filters=many")
