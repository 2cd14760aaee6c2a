"""Cuts a model to its numeric part, which takes the ids of categories and texts in place of words."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.internals.keras_networks import calls

MISSING_AND_UNKNOWN = 2  # ids before those of the words


def cut_lookups(model: keras.Model) -> tuple[keras.Model, dict[str, dict[str, Any]]]:
    """Cuts the lookups from a model of raw columns, and describes them.

    Returns the model with ids in place of words, and for each such column `words`, and for a text also `length` (ids in
    a row) and `ngrams`.

    Raises:
        ConfigError: If a text is split in a way that rows.py does not support.
    """
    names = {id(tensor): name for name, tensor in model.input.items()}
    tensors, lookups = dict(model.input), {}
    for layer in model.layers:
        if not isinstance(layer, (keras.layers.StringLookup, keras.layers.TextVectorization)):
            continue
        about = _describe(layer)
        for call in calls(layer):
            name = names.get(id(call.input_tensors[0]))
            if name is not None:
                tensors[name], lookups[name] = call.outputs[0], about
    # As lists: tensors in the middle of a model have no names of their own.
    behind = keras.Model(list(tensors.values()), model.output)
    inputs = {name: keras.Input(each.shape[1:], dtype=each.dtype, name=name) for name, each in tensors.items()}
    return keras.Model(inputs, behind(list(inputs.values())), name="numeric_part"), lookups


def in_32_bits(model: keras.Model) -> keras.Model:
    """Returns a model of `cut_lookups` with 32-bit numbers throughout, for a runtime without float64."""
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    dtypes = {name: "float32" if each.dtype == "float64" else each.dtype for name, each in model.input.items()}
    inputs = {name: keras.Input(each.shape[1:], dtype=dtypes[name], name=name) for name, each in model.input.items()}

    def call(operation: Any, *arguments: Any, **keywords: Any) -> Any:
        if getattr(operation, "dtype", None) == "float64" and type(operation).__name__ == "Cast":
            return keras.ops.cast(arguments[0], "float32")
        arguments, keywords = keras.tree.map_structure(_narrow_constant, (arguments, keywords))
        return operation(*arguments, **keywords)

    clone = keras.models.clone_model(
        inner, input_tensors=list(inputs.values()), clone_function=lambda layer: layer, call_function=call
    )
    return keras.Model(inputs, clone(list(inputs.values())), name="numeric_part_in_32_bits")


def _narrow_constant(value: Any) -> Any:
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def _describe(layer: Any) -> dict[str, Any]:
    words = {"words": layer.get_vocabulary()[MISSING_AND_UNKNOWN:]}
    if isinstance(layer, keras.layers.StringLookup):
        return words
    config = layer.get_config()
    if (config["standardize"], config["split"], config["ngrams"]) == ("lower", "character", None):  # of dates
        return words | {"length": config["output_sequence_length"], "split": "character"}
    if config["standardize"] != "lower_and_strip_punctuation" or config["split"] != "whitespace":
        raise ConfigError(
            f"This model splits its texts by {config['standardize']} and {config['split']}, which has no companion; "
            "use --format saved_model, which holds that."
        )
    widest = max(config["ngrams"] or [1]) if not isinstance(config["ngrams"], int) else config["ngrams"]
    return words | {"length": config["output_sequence_length"], "ngrams": widest}
