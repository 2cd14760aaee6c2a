"""Saves a SavedModel that takes the columns of the source and makes derived columns in its graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dltrain.data.recipe import Recipe


def save_with_raw_inputs(network: keras.Model, made: Mapping[str, Recipe], path: Path) -> dict[str, str]:
    """Writes a SavedModel into a new folder `path`, and returns the dtype of each of its inputs.

    `made` holds the recipes of those columns of `network` that are made from others.
    """
    dtypes = {name: each.dtype for name, each in network.input.items() if name not in made}
    for recipe in made.values():
        for name in recipe.columns:
            dtypes.setdefault(name, "float64" if recipe.pattern is None else "string")
    shapes = {name: network.input[name].shape if name in network.input else (None, 1) for name in dtypes}
    signature = {name: tf.TensorSpec(shapes[name], dtype, name) for name, dtype in dtypes.items()}

    def answer(inputs: dict[str, Any]) -> Any:
        columns = inputs | {name: make(recipe, inputs) for name, recipe in made.items()}
        return network({name: columns[name] for name in network.input}, training=False)

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", answer, [signature])
    archive.write_out(path, verbose=False)
    return dtypes


def make(recipe: Recipe, inputs: Mapping[str, Any]) -> Any:
    """Applies `Recipe.make` to tensors of shape (n, 1)."""
    cells = [inputs[name] for name in recipe.columns]
    if recipe.pattern is None:
        return tf.add_n(cells) + tf.constant(recipe.plus, cells[0].dtype)
    whole = f"(?s)^.*?{recipe.pattern}.*$"
    found = tf.strings.regex_replace(cells[0], whole, r"\1", replace_global=False)
    lower = tf.strings.lower(found, encoding="utf-8")
    word = tf.strings.upper(found, encoding="utf-8") if recipe.other is None else tf.fill(tf.shape(found), recipe.other)
    for spelled, becomes in recipe.words.items():
        word = tf.where(lower == spelled, becomes, word)
    return tf.where(tf.strings.regex_full_match(cells[0], whole), word, "")
