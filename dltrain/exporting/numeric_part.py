"""Cuts a model to its numeric part, which takes the ids of categories and texts in place of words."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.internals.keras_networks import calls

MISSING_AND_UNKNOWN = 2  # ids before those of the words
OF_MEMBERS = "bki,kio->bko"  # the heads of the members within model=tabular, with a bias for each member and output


def cut_lookups(model: keras.Model) -> tuple[keras.Model, dict[str, dict[str, Any]]]:
    """Cuts the lookups from a model of raw columns, also those of its members if it averages several models.

    Returns the model with ids in place of words, and for each such column `words`, and for a text also `length` (ids in
    a row) and `ngrams`. The words are those that any member knows.

    Raises:
        ConfigError: If a text is split in a way that rows.py does not support, or by the members in different ways.
    """
    if members := _members(model):
        return _cut_members(model, members)
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
    return keras.Model(inputs, behind(list(inputs.values())), name=f"numeric_part_of_{model.name}"), lookups


def _members(model: keras.Model) -> list[keras.Model]:
    """Returns the models that a model averages: those within it that take its raw columns."""
    raw = {id(tensor) for tensor in model.input.values()}
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return [each for each in nested if any(raw.issuperset(map(id, call.input_tensors)) for call in calls(each))]


def _cut_members(model: keras.Model, members: list[keras.Model]) -> tuple[keras.Model, dict[str, dict[str, Any]]]:
    parts = {member.name: cut_lookups(member) for member in members}
    first, of_first = parts[members[0].name]
    lookups = {name: _joined(name, [about[name] for _, about in parts.values()]) for name in of_first}
    shapes = {name: (about["length"],) for name, about in lookups.items() if "length" in about}
    inputs = {
        name: keras.Input(shapes.get(name, each.shape[1:]), dtype=each.dtype, name=name)
        for name, each in first.input.items()
    }

    def call(operation: Any, *arguments: Any, **keywords: Any) -> Any:
        if operation not in members:
            return operation(*arguments, **keywords)
        part, own = parts[operation.name]
        ids = {name: _ids_of_member(inputs[name], lookups[name], own[name]) for name in lookups}
        return part(inputs | ids)

    return keras.Model(inputs, _called(model, inputs, call), name=f"numeric_part_of_{model.name}"), lookups


def in_32_bits(model: keras.Model) -> keras.Model:
    """Returns a model of `cut_lookups` with 32-bit numbers throughout, for a runtime without float64."""

    def narrow(each: keras.KerasTensor) -> keras.KerasTensor:
        return keras.Input(each.shape[1:], dtype="float32" if each.dtype == "float64" else each.dtype, name=each.name)

    def call(operation: Any, *arguments: Any, **keywords: Any) -> Any:
        if type(operation) is type(model):  # a model within it
            return in_32_bits(operation)(*arguments, **keywords)
        if isinstance(operation, keras.layers.EinsumDense) and operation.equation == OF_MEMBERS:
            return _of_members(operation, arguments[0])
        if getattr(operation, "dtype", None) == "float64" and type(operation).__name__ == "Cast":
            return keras.ops.cast(arguments[0], "float32")
        arguments, keywords = keras.tree.map_structure(_narrow_constant, (arguments, keywords))
        return operation(*arguments, **keywords)

    inputs = keras.tree.map_structure(narrow, model.input)
    return keras.Model(inputs, _called(model, inputs, call), name=f"{model.name}_in_32_bits")


def _of_members(layer: keras.layers.EinsumDense, given: keras.KerasTensor) -> keras.KerasTensor:
    """Returns what the layer of OF_MEMBERS answers.

    TFLite's converter fails on the layer itself where it has one output: it moves the bias before a transposition.
    """
    inputs = keras.Input(given.shape[1:], dtype=given.dtype)
    product = keras.ops.matmul(keras.ops.transpose(inputs, (1, 0, 2)), layer.kernel)
    answers = layer.activation(keras.ops.transpose(product + layer.bias[:, None], (1, 0, 2)))
    # As a model of its own, since the names of its operations are perhaps those of others in the model around it.
    return keras.Model(inputs, answers, name=f"{layer.name}_for_tflite")(given)


def _called(model: keras.Model, inputs: Any, call: Any) -> keras.KerasTensor:
    """Returns the output of a model for other inputs, each operation used by `call`; the layers are the same."""
    clone = keras.models.clone_model(
        model, input_tensors=inputs, clone_function=lambda layer: layer, call_function=call
    )
    return clone.output


def _joined(name: str, abouts: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the description of a column that serves all members, from those of each."""
    ways = [{key: value for key, value in about.items() if key not in ("words", "length")} for about in abouts]
    if any(way != ways[0] for way in ways):
        raise ConfigError(
            f"The models that this one averages split the texts of '{name}' in different ways, which has no companion; "
            "use --format saved_model, which holds that."
        )
    joined = ways[0] | {"words": list(dict.fromkeys(word for about in abouts for word in about["words"]))}
    return joined | ({"length": max(about["length"] for about in abouts)} if "length" in abouts[0] else {})


def _ids_of_member(ids: keras.KerasTensor, joined: dict[str, Any], about: dict[str, Any]) -> keras.KerasTensor:
    """Returns the ids of one member from those of all; a word that it does not know is unknown."""
    if about == joined:
        return ids
    known = {word: place for place, word in enumerate(about["words"], MISSING_AND_UNKNOWN)}
    table = np.array([*range(MISSING_AND_UNKNOWN), *(known.get(word, 1) for word in joined["words"])], np.int64)
    inputs = keras.Input(ids.shape[1:], dtype=ids.dtype)
    own = keras.ops.take(table, inputs[:, : about.get("length")], axis=0)
    # As a model of its own, since the names of its operations are perhaps those of others in the model around it.
    return keras.Model(inputs, own)(ids)


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
