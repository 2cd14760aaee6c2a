"""Builds a network that answers with the targets of the train rows that are near in a learned space.

ModernNCA (Ye et al. 2025), after the neighbourhood components analysis of Goldberger et al. 2004;
conf/model/modern_nca.yaml explains its options.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from dltrain.base.errors import ConfigError
from dltrain.models.linear_path import evenly
from dltrain.models.parts import Head, Inputs
from dltrain.models.tabular import embedded

FIRST_PRIOR = -4.0  # the logit of the share that the mean of all targets has in an answer, before training
EXCLUDED = 1e9  # subtracted from a logit


def modern_nca(
    inputs: Inputs,
    head: Head,
    *,
    dimension: int,
    dropout: float,
    neighbors: int,
    share: float,
    numeric_embedding: str,
    numeric_dimension: int,
    frequencies: int,
    frequency_scale: float,
    bins: int | Literal["auto"],
    bound: float | None,
) -> Any:
    """Embeds a row as `tabular` does, maps it into a space of `dimension` axes, and averages the neighbors' targets.

    Raises:
        ConfigError: If the data has neither numbers nor categories, or `share` or `neighbors` leaves no row.
    """
    tensors = {name: inputs[name] for name in ("table", "categories") if name in inputs}
    if not tensors:
        raise ConfigError("model=modern_nca needs numbers or categories, and this dataset has none. Use model=mlp.")
    if not 0 < share <= 1:
        raise ConfigError(f"model.share: expected a share above 0 and of at most 1, got {share:g}.")
    if neighbors < 2:
        raise ConfigError(f"model.neighbors: expected at least 2 train rows, got {neighbors}.")
    # The same layers see the row and the train rows.
    own = {name: keras.Input(each.shape[1:], dtype=each.dtype, name=name) for name, each in tensors.items()}
    hidden = embedded(
        inputs.with_tensors(own),
        numeric_embedding=numeric_embedding,
        numeric_dimension=numeric_dimension,
        frequencies=frequencies,
        frequency_scale=frequency_scale,
        bins=bins,
        bin_edges="distinct",
        bound=bound,
        feature_scaling=True,
    )
    hidden = keras.layers.Dense(dimension, kernel_initializer=keras.initializers.VarianceScaling(1.0, "fan_in"))(hidden)
    if dropout:
        hidden = keras.layers.Dropout(dropout)(hidden)
    kept = evenly(len(inputs.train("target")), neighbors)
    targets = inputs.train("target")[kept].astype(np.float64)
    if head.kind.quantity:
        targets = head.scaled(targets[:, 0])[:, None]
    layer = Neighbors(keras.Model(list(own.values()), hidden), len(kept), targets.shape[1], share, name="neighbors")
    answers = layer(list(tensors.values()))
    layer.hold([inputs.train(name)[kept] for name in tensors], targets)
    return head.of_scores(answers, apply=False)


@keras.saving.register_keras_serializable("dltrain")
class Neighbors(keras.layers.Layer):
    """Averages the targets of `held_rows` train rows by their distance to the row in the space of `encoder`.

    In training only a random `share` of them take part in a step, and none whose features equal those of the row: that
    is the row itself, or another one that cannot be told from it. The mean of all targets has a learned share too.
    """

    def __init__(self, encoder: keras.Model, held_rows: int, outputs: int, share: float, **kwargs: Any) -> None:
        super().__init__(**({"dtype": keras.config.floatx()} | kwargs))
        self.encoder, self.held_rows, self.outputs, self.share = encoder, held_rows, outputs, share
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, shapes: Sequence[tuple[int | None, ...]]) -> None:
        """Creates the weights; `shapes` are those of the features."""
        self.held = [
            self.add_weight(
                shape=(self.held_rows, *shape[1:]), dtype=each.dtype, initializer="zeros", trainable=False, name="rows"
            )
            for shape, each in zip(shapes, self.encoder.inputs, strict=True)
        ]
        held = {"initializer": "zeros", "trainable": False}
        self.targets = self.add_weight(shape=(self.held_rows, self.outputs), name="targets", **held)
        self.mean = self.add_weight(shape=(self.outputs,), name="mean", **held)
        self.sharpness = self.add_weight(shape=(), initializer="zeros", name="sharpness")
        self.prior = self.add_weight(shape=(), initializer=keras.initializers.Constant(FIRST_PRIOR), name="prior")

    def hold(self, features: Sequence[npt.NDArray[Any]], targets: npt.NDArray[np.float64]) -> None:
        """Takes the features of the train rows and their targets, (rows, outputs)."""
        for weight, cells in zip(self.held, features, strict=True):
            weight.assign(cells)
        self.targets.assign(targets)
        self.mean.assign(targets.mean(axis=0))

    def call(self, features: Sequence[Any], training: bool = False) -> Any:
        """Returns the mean targets (batch, outputs) for features of shape (batch, …)."""
        held, targets, equals = [each.value for each in self.held], self.targets.value, 0.0
        if training:
            if self.share < 1:
                order = keras.random.uniform((self.held_rows,), seed=self.seed_generator)
                drawn = keras.ops.top_k(order, max(2, round(self.held_rows * self.share)))[1]
                held, targets = [
                    [keras.ops.take(each, drawn, axis=0) for each in held],
                    keras.ops.take(targets, drawn, 0),
                ]
            equal = [
                keras.ops.all(keras.ops.equal(each[:, None], kept[None]), axis=-1)
                for each, kept in zip(features, held, strict=True)
            ]
            equals = keras.ops.cast(keras.ops.all(keras.ops.stack(equal), axis=0), self.compute_dtype)
        places = keras.ops.cast(self.encoder(list(features), training=training), self.compute_dtype)
        others = keras.ops.cast(self.encoder(held, training=training), self.compute_dtype)
        products = keras.ops.matmul(places, keras.ops.transpose(others))
        squares = keras.ops.sum(keras.ops.square(others), axis=1)[None] - 2 * products
        weights = keras.ops.softmax(_logits(places, squares, keras.ops.exp(self.sharpness)) - EXCLUDED * equals)
        # Where all rows are excluded, their softmax is even; the mean of all targets takes their shares.
        weights = (1 - keras.ops.sigmoid(self.prior)) * weights * (1 - equals)
        rest = 1 - keras.ops.sum(weights, axis=1, keepdims=True)
        return keras.ops.matmul(weights, targets) + rest * self.mean

    def at_prediction(self, features: Sequence[Any]) -> Any:
        """Replaces the layer in a model that is no longer trained, which holds the rows as places in the space."""
        others = np.asarray(self.encoder([each.value for each in self.held]), np.float64)
        prior = 1 / (1 + np.exp(-np.asarray(self.prior, np.float64)))
        places = keras.layers.Activation("linear", dtype=self.dtype)(self.encoder(list(features)))
        squares = keras.layers.Dense(self.held_rows, dtype=self.dtype, trainable=False, name="neighbors")
        logits = _logits(places, squares(places), float(np.exp(self.sharpness)))
        answers = keras.layers.Dense(self.outputs, dtype=self.dtype, trainable=False, name="targets")
        found = answers(keras.layers.Activation("softmax", dtype=self.dtype)(logits))
        squares.set_weights([-2 * others.T, np.square(others).sum(axis=1)])
        answers.set_weights([(1 - prior) * np.asarray(self.targets), prior * np.asarray(self.mean)])
        return found

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        own = {"held_rows": self.held_rows, "outputs": self.outputs, "share": self.share}
        return {**super().get_config(), **own, "encoder": keras.saving.serialize_keras_object(self.encoder)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Neighbors:
        """Rebuilds the layer."""
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})


def _logits(places: Any, squares: Any, sharpness: Any) -> Any:
    """Returns minus the distances (batch, rows) times `sharpness`, of places (batch, dimension).

    `squares` are those of the distances without the squares of the places. The distance has no kink at 0, where the
    root would enlarge what is rounded.
    """
    squares = squares + keras.ops.sum(keras.ops.square(places), axis=1, keepdims=True)
    return -sharpness * keras.ops.sqrt(keras.ops.maximum(squares, 0.0) + 1.0)
