from __future__ import annotations

from typing import Any

import keras

from dltrain.training.architecture import architecture


class OwnLayer(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


def test_names_within_a_backbone_make_no_other_graphs() -> None:
    def network() -> keras.Model:
        inside = keras.Input((2,))  # which Keras names and counts
        backbone = keras.Model(inside, keras.layers.Dense(3)(inside), name="backbone")
        outside = keras.Input((2,), name="table")
        model = keras.Model({"table": outside}, keras.layers.Dense(1)(backbone(outside)))
        model.compile("sgd", "mse")
        return model

    one, other = network(), network()
    names = [[layer.name for layer in model.get_layer("backbone").layers] for model in (one, other)]
    assert names[0] != names[1]
    assert architecture(one) == architecture(other) is not None


def test_a_factor_that_layers_share_is_not_that_of_layers_with_their_own() -> None:
    def model(*regularizers: Any) -> keras.Model:
        inputs = keras.Input((2,))
        outputs = keras.layers.Dense(1, kernel_regularizer=regularizers[0], bias_regularizer=regularizers[1])(inputs)
        made = keras.Model(inputs, outputs)
        made.compile("sgd", "mse")
        return made

    shared = keras.regularizers.L2(0.1)
    one, other = model(shared, shared), model(keras.regularizers.L2(0.1), keras.regularizers.L2(0.2))
    assert architecture(one) != architecture(other)
    assert architecture(other) == architecture(model(keras.regularizers.L2(0.3), keras.regularizers.L2(0.3)))


def test_parts_from_elsewhere_do_not_share() -> None:
    def model(layer: Any) -> Any:
        inputs = keras.Input((2,))
        made = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
        made.compile("sgd", "mse")
        return made

    assert architecture(model(OwnLayer())) is None
    assert architecture(model(keras.layers.Lambda(lambda x: 2 * x))) is None
    assert architecture(model(keras.layers.Dense(2, activation=lambda x: 2 * x))) is None
    known = architecture(model(keras.layers.Dense(2)))
    assert known is not None
    assert architecture(model(keras.layers.Dense(2))) == known
    assert architecture(model(keras.layers.Dense(2, "relu"))) != known


def test_counted_names_make_no_other_architecture() -> None:
    keras.utils.clear_session()

    def model() -> Any:
        inputs = keras.Input((2,), name="table")
        hidden = keras.layers.Activation("relu")(keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs)))
        made = keras.Model({"table": inputs}, keras.layers.Dense(1, name="head")(keras.layers.Dropout(0.5)(hidden)))
        made.compile("adam", "mse")
        return made

    first, second, third = model(), model(), model()
    assert first.layers[3].name == "activation" != second.layers[3].name
    assert architecture(first) == architecture(second) == architecture(third)
