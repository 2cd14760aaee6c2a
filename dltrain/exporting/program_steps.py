"""Says which steps compute each Keras layer and operation: the one list of what a page can compute.

A layer that is not here, or has an option that these functions do not know, is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from dltrain.base.errors import ConfigError
from dltrain.exporting.program import Program, Slot
from dltrain.preprocessing.dates import CHARACTERS

# Operations and activations that a page computes number by number, under the names that Keras gives them.
ELEMENTWISE = (
    *("absolute", "add", "cos", "divide", "equal", "exp", "floor", "greater", "greater_equal", "isnan", "less"),
    *("less_equal", "log", "logical_and", "logical_not", "logical_or", "maximum", "minimum", "mod", "multiply"),
    *("negative", "not_equal", "power", "rsqrt", "sign", "sin", "sqrt", "square", "subtract", "where"),
    *("celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "log_sigmoid", "mish", "relu"),
    *("relu6", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh"),
)
SAME = {"true_divide": "divide", "abs": "absolute"}
IDLE = ("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization", "Identity")


def steps_of(program: Program, operation: Any, args: Sequence[Any], keywords: Mapping[str, Any]) -> Slot:
    """Adds the steps of one use of a layer or operation, and returns the place of its result.

    `args` and `keywords` are those of the use, with a `Slot` for each tensor.

    Raises:
        ConfigError: If a page cannot compute it.
    """
    name = type(operation).__name__
    if type(operation).__module__.partition(".")[0] == "keras":
        if isinstance(operation, keras.layers.Layer):
            if name in IDLE:
                return _slot(args[0])
            if name in LAYERS:
                return LAYERS[name](program, operation, args[0])
        elif name in OPERATIONS:
            return OPERATIONS[name](program, operation, *args, **keywords)
        elif (snake := _snake(name)) in ELEMENTWISE:
            return program.add(snake, *args, *keywords.values())
    what = "a layer" if isinstance(operation, keras.layers.Layer) else "an operation"
    raise ConfigError(f"it has {what} {name}")


def _snake(name: str) -> str:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return SAME.get(snake, snake)


def _slot(value: Any) -> Slot:
    if not isinstance(value, Slot):
        raise ConfigError("it takes several tensors where one was expected")
    return value


def _require(fulfilled: bool, layer: Any) -> None:
    if not fulfilled:
        raise ConfigError(f"its layer {type(layer).__name__} '{layer.name}' has options that a page does not know")


def _activated(program: Program, activation: Any, x: Slot) -> Slot:
    name = keras.activations.serialize(activation)
    if name == "linear":
        return x
    if name == "softmax":
        return program.add("softmax", x)
    if name not in ELEMENTWISE:
        raise ConfigError(f"it has an activation {name if isinstance(name, str) else activation}")
    return program.add(name, x)


def _activation(program: Program, layer: Any, x: Slot) -> Slot:
    return _activated(program, layer.activation, x)


def _dense(program: Program, layer: Any, x: Slot) -> Slot:
    x = program.add("matmul", x, layer.kernel)
    return _activated(program, layer.activation, program.add("add", x, layer.bias) if layer.use_bias else x)


def _einsum_dense(program: Program, layer: Any, x: Slot) -> Slot:
    _require("..." not in layer.equation, layer)
    x = program.add("einsum", x, layer.kernel, equation=layer.equation)
    return _activated(program, layer.activation, x if layer.bias is None else program.add("add", x, layer.bias))


def _embedding(program: Program, layer: Any, x: Slot) -> Slot:
    return program.add("gather", layer.embeddings, x)


def _relu(program: Program, layer: Any, x: Slot) -> Slot:
    _require(not layer.negative_slope and not layer.threshold, layer)
    x = program.add("maximum", x, 0.0)
    return x if layer.max_value is None else program.add("minimum", x, layer.max_value)


def _batch_normalization(program: Program, layer: Any, x: Slot) -> Slot:
    _require(layer.axis in (-1, len(x.shape) - 1), layer)
    mean, variance = (np.asarray(each, np.float64) for each in (layer.moving_mean, layer.moving_variance))
    scale = (np.asarray(layer.gamma) if layer.scale else 1.0) / np.sqrt(variance + layer.epsilon)
    offset = (np.asarray(layer.beta) if layer.center else 0.0) - mean * scale
    return program.add("add", program.add("multiply", x, scale), offset)


def _normalized(program: Program, layer: Any, x: Slot) -> Slot:
    """Subtracts the mean over the last axis and divides by the standard deviation."""
    x = program.add("subtract", x, program.add("mean", x, axis=[-1], keepdims=True))
    variance = program.add("mean", program.add("square", x), axis=[-1], keepdims=True)
    return program.add("multiply", x, program.add("rsqrt", program.add("add", variance, layer.epsilon)))


def _scaled(program: Program, layer: Any, x: Slot) -> Slot:
    x = program.add("multiply", x, layer.gamma) if layer.scale else x
    return program.add("add", x, layer.beta) if layer.center else x


def _layer_normalization(program: Program, layer: Any, x: Slot) -> Slot:
    axis = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    _require(axis in ([-1], [len(x.shape) - 1]), layer)
    return _scaled(program, layer, _normalized(program, layer, x))


def _group_normalization(program: Program, layer: Any, x: Slot) -> Slot:
    _require(len(x.shape) == 2 and layer.axis in (-1, 1), layer)
    width = x.shape[1] or 0
    groups = width if layer.groups == -1 else layer.groups
    x = _normalized(program, layer, program.add("reshape", x, shape=[-1, groups, width // groups]))
    return _scaled(program, layer, program.add("reshape", x, shape=[-1, width]))


def _rescaling(program: Program, layer: Any, x: Slot) -> Slot:
    return program.add("add", program.add("multiply", x, layer.scale), layer.offset)


def _concatenation(program: Program, layer: Any, x: Sequence[Slot]) -> Slot:
    return program.add("concatenate", *x, axis=layer.axis)


def _sum(program: Program, layer: Any, x: Sequence[Slot]) -> Slot:
    total, *others = x
    for each in others:
        total = program.add("add", total, each)
    return total


def _average(program: Program, layer: Any, x: Sequence[Slot]) -> Slot:
    return program.add("divide", _sum(program, layer, x), len(x))


def _flatten(program: Program, layer: Any, x: Slot) -> Slot:
    return program.add("reshape", x, shape=[-1, math.prod(each or 0 for each in x.shape[1:])])


def _reshape_layer(program: Program, layer: Any, x: Slot) -> Slot:
    _require(-1 not in layer.target_shape, layer)
    return program.add("reshape", x, shape=[-1, *layer.target_shape])


def _repeat_vector(program: Program, layer: Any, x: Slot) -> Slot:
    x = program.add("expand_dims", x, axis=1)
    return program.add("repeat", x, count=layer.n, axis=1)


def _depthwise_convolution(program: Program, layer: Any, x: Slot) -> Slot:
    _require(layer.kernel_size == (1,) and layer.depth_multiplier == 1 and not layer.use_bias, layer)
    return _activated(program, layer.activation, program.add("multiply", x, np.asarray(layer.kernel)[0, :, 0]))


def _string_lookup(program: Program, layer: Any, x: Slot) -> Slot:
    options = layer.get_config()
    plain = (options["mask_token"], options["num_oov_indices"], options["output_mode"], options["invert"])
    _require(plain == ("", 1, "int", False), layer)
    return program.add("lookup", x, words=[str(word) for word in layer.get_vocabulary()])


def _category_encoding(program: Program, layer: Any, x: Slot) -> Slot:
    _require(layer.output_mode == "one_hot" and x.shape[1:] == (1,), layer)
    return program.add("one_hot", x, count=layer.num_tokens)


def _characters(program: Program, layer: Any, x: Slot) -> Slot:
    options = layer.get_config()
    plain = (options["standardize"], options["split"], options["ngrams"], options["output_mode"])
    if plain != ("lower", "character", None, "int"):
        raise ConfigError("it reads texts")
    _require(list(layer.get_vocabulary())[2:] == list(CHARACTERS), layer)
    return program.add("characters", x, characters=CHARACTERS, length=options["output_sequence_length"])


def _cast(program: Program, operation: Any, x: Any) -> Slot:
    return program.add("cast", x, type=keras.backend.standardize_dtype(operation.dtype))


def _reduction(do: str) -> Callable[..., Slot]:
    """Returns the steps of an operation that joins the numbers along axes."""

    def step(program: Program, operation: Any, x: Any) -> Slot:
        axis = operation.axis
        axes = list(range(len(x.shape))) if axis is None else [axis] if isinstance(axis, int) else list(axis)
        return program.add(do, x, axis=axes, keepdims=bool(operation.keepdims))

    return step


def _along(do: str) -> Callable[..., Slot]:
    """Returns the steps of an operation, on a tensor or a list of tensors, whose one option is an axis."""

    def step(program: Program, operation: Any, x: Any) -> Slot:
        return program.add(do, *(x if isinstance(x, (list, tuple)) else [x]), axis=operation.axis)

    return step


def _reshape(program: Program, operation: Any, x: Any) -> Slot:
    return program.add("reshape", x, shape=list(operation.newshape))


def _clip(program: Program, operation: Any, x: Any) -> Slot:
    return program.add("minimum", program.add("maximum", x, operation.x_min), operation.x_max)


def _pad(program: Program, operation: Any, x: Any, constant_values: Any = None) -> Slot:
    if operation.mode != "constant" or constant_values:
        raise ConfigError("it pads in a way that a page does not know")
    return program.add("pad", x, width=[list(each) for each in operation.pad_width])


def _repeat(program: Program, operation: Any, x: Any) -> Slot:
    if not isinstance(operation.repeats, int) or operation.axis is None:
        raise ConfigError("it repeats in a way that a page does not know")
    return program.add("repeat", x, count=operation.repeats, axis=operation.axis)


def _take(program: Program, operation: Any, x: Any, indices: Any) -> Slot:
    if isinstance(indices, Slot) or np.ndim(indices) != 1 or operation.axis is None:
        raise ConfigError("it looks up places that it computes")
    return program.add("take", x, places=np.asarray(indices).tolist(), axis=operation.axis)


def _get_item(program: Program, operation: Any, x: Any, key: Any) -> Slot:
    written: list[Any] = []
    for part in key if isinstance(key, (tuple, list)) else [key]:
        if part is Ellipsis:
            written.append("...")
        elif part is None:
            written.append("new")
        elif isinstance(part, slice) and part.step in (None, 1):
            written.append([part.start, part.stop])
        elif isinstance(part, int):
            written.append(part)
        else:
            raise ConfigError("it cuts a tensor in a way that a page does not know")
    return program.add("get_item", x, key=written)


LAYERS: Mapping[str, Callable[..., Slot]] = {
    "Activation": _activation,
    "Add": _sum,
    "Average": _average,
    "BatchNormalization": _batch_normalization,
    "CategoryEncoding": _category_encoding,
    "Concatenate": _concatenation,
    "Dense": _dense,
    "DepthwiseConv1D": _depthwise_convolution,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "GroupNormalization": _group_normalization,
    "LayerNormalization": _layer_normalization,
    "ReLU": _relu,
    "RepeatVector": _repeat_vector,
    "Rescaling": _rescaling,
    "Reshape": _reshape_layer,
    "StringLookup": _string_lookup,
    "TextVectorization": _characters,
}
OPERATIONS: Mapping[str, Callable[..., Slot]] = {
    "Cast": _cast,
    "Clip": _clip,
    "Concatenate": _along("concatenate"),
    "Cumsum": _along("cumsum"),
    "ExpandDims": _along("expand_dims"),
    "GetItem": _get_item,
    "Max": _reduction("max"),
    "Mean": _reduction("mean"),
    "Min": _reduction("min"),
    "Pad": _pad,
    "Repeat": _repeat,
    "Reshape": _reshape,
    "Sum": _reduction("sum"),
    "Take": _take,
}
