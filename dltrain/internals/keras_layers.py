"""What Keras' layers know of each other and of their weights, and do not tell publicly."""

from __future__ import annotations

from typing import cast

import keras


def all_layers(model: keras.Layer) -> list[keras.Layer]:
    """Every layer below a model or layer, those within other layers too, in Keras' order.

    The public `layers` stops at models and at layers that wrap others.
    """
    return cast("list[keras.Layer]", model._flatten_layers(include_self=False))


def own_weights(layer: keras.Layer) -> list[keras.Variable]:
    """The weights that a layer itself trains, frozen or not; the public list has those of its inner layers as well."""
    return cast("list[keras.Variable]", layer._trainable_variables)
