from __future__ import annotations

from typing import Any

import keras
import pytest

from dltrain.engine.architecture import architecture
from dltrain.models.losses import InUnits


class OwnLayer(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


def test_names_within_a_backbone_make_no_other_graphs() -> None:
    def network() -> keras.Model:
        inside = keras.Input((2,))  # which Keras names and counts
        part = keras.ops.sqrt(inside[:, :1])  # of operations, which are no layers but have counted names too
        backbone = keras.Model(inside, keras.layers.Dense(3)(part), name="backbone")
        outside = keras.Input((2,), name="table")
        model = keras.Model({"table": outside}, keras.layers.Dense(1)(backbone(outside)))
        model.compile("sgd", "mse")
        return model

    one, other = network(), network()
    names = [[each.name for each in model.get_layer("backbone").operations] for model in (one, other)]
    assert not {*names[0]} & {*names[1]}
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


def dense(**compiled: Any) -> keras.Model:
    inputs = keras.Input((2,))
    made = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    made.compile(compiled.pop("optimizer", "sgd"), **{"loss": "mse", **compiled})
    made.optimizer.build(made.trainable_variables)
    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"loss": keras.losses.Huber(delta=1.0)}, {"loss": keras.losses.Huber(delta=0.01)}),
        ({"loss": keras.losses.CosineSimilarity(axis=-1)}, {"loss": keras.losses.CosineSimilarity(axis=0)}),
        ({"loss": keras.losses.MeanSquaredError()}, {"loss": keras.losses.MeanSquaredError(dtype="float16")}),
        (
            {"loss": InUnits(keras.losses.Huber(delta=1.0), 0.0, 1.0)},
            {"loss": InUnits(keras.losses.Huber(delta=0.01), 0.0, 1.0)},
        ),
        ({"metrics": [keras.metrics.CosineSimilarity(axis=-1)]}, {"metrics": [keras.metrics.CosineSimilarity(axis=0)]}),
        (
            {"weighted_metrics": [keras.metrics.CosineSimilarity(axis=-1)]},
            {"weighted_metrics": [keras.metrics.CosineSimilarity(axis=0)]},
        ),
        (
            {"metrics": [keras.metrics.SparseTopKCategoricalAccuracy()]},
            {"metrics": [keras.metrics.SparseTopKCategoricalAccuracy(from_sorted_ids=True)]},
        ),
    ],
)
def test_what_keras_leaves_out_of_a_configuration_makes_another_architecture(one: Any, other: Any) -> None:
    assert architecture(dense(**one)) != architecture(dense(**other))
    assert architecture(dense(**one)) == architecture(dense(**one)) is not None


def test_weights_that_do_not_decay_make_another_architecture() -> None:
    optimizers = [keras.optimizers.AdamW() for _ in range(3)]
    optimizers[1].exclude_from_weight_decay(var_names=["bias"])
    optimizers[2].exclude_from_weight_decay(var_names=["kernel"])
    assert len({architecture(dense(optimizer=each)) for each in optimizers}) == 3
    models = [dense(optimizer=each) for each in [keras.optimizers.AdamW(), keras.optimizers.AdamW()]]
    assert len({architecture(each) for each in models}) == 1


def test_a_layer_that_is_called_like_a_setting_hides_none() -> None:
    def model(activation: str) -> keras.Model:
        inputs = keras.Input((2,))
        made = keras.Model(inputs, keras.layers.Dense(1, activation, name=activation)(inputs))
        made.compile("sgd", "mse")
        return made

    assert architecture(model("relu")) != architecture(model("tanh"))
    assert architecture(model("relu")) == architecture(model("relu"))


def test_a_module_that_begins_like_keras_is_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def model() -> keras.Model:
        inputs = keras.Input((2,))
        made = keras.Model(inputs, keras.layers.Dense(1)(OwnLayer()(inputs)))
        made.compile("sgd", "mse")
        return made

    monkeypatch.setattr(OwnLayer, "__module__", "keras_mine")
    assert architecture(model()) is None
    # Anybody can register under any name.
    keras.saving.register_keras_serializable("dltrain", "OwnLayer")(OwnLayer)
    assert architecture(model()) is None
