"""Follows the graph of a Keras model from its output to its inputs, and writes it as a program."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from dltrain.base.errors import ConfigError
from dltrain.exporting.program import Program, Slot
from dltrain.exporting.program_steps import steps_of
from dltrain.internals.keras_networks import call_of, maker

SIXTEEN_BITS = ("float16", "bfloat16")


def program_of(model: keras.Model) -> Program:
    """Returns the program of a model whose inputs are raw columns by name; its last step is the answer (rows, units).

    Raises:
        ConfigError: If a page cannot compute it; the message is half a sentence, such as "it has a layer LSTM".
    """
    program = Program()
    known = {id(tensor): program.add("input", name=name) for name, tensor in model.input.items()}
    _follow(program, model.output, known)
    program.add("reshape", known[id(model.output)], shape=[-1, model.output.shape[-1]])
    return program


def _follow(program: Program, wanted: Any, known: dict[int, Slot]) -> None:
    """Adds the steps of a symbolic tensor and of all that it is made from; `known` has the places by `id`."""
    waiting = [wanted]  # a stack, since a recursion would be as deep as the network
    while waiting:
        tensor = waiting[-1]
        if id(tensor) in known:
            waiting.pop()
            continue
        call, args, keywords = call_of(tensor)
        if absent := [each for each in call.input_tensors if id(each) not in known]:
            waiting += absent
        elif isinstance(maker(tensor), keras.Model):
            _enter(program, call, args[0], known)
        else:
            _compute(program, call, args, keywords, known)


def _enter(program: Program, call: Any, given: Any, known: dict[int, Slot]) -> None:
    """Adds the steps of a model within the model, which takes the tensors `given`."""
    model = call.operation
    pairs = zip(keras.tree.flatten(model.input), keras.tree.flatten(given), strict=True)
    inner = {id(own): known[id(outer)] for own, outer in pairs}
    for own, outer in zip(keras.tree.flatten(model.output), call.outputs, strict=True):
        _follow(program, own, inner)
        known[id(outer)] = inner[id(own)]


def _compute(program: Program, call: Any, args: Any, keywords: Any, known: dict[int, Slot]) -> None:
    operation = call.operation
    if isinstance(operation, keras.layers.Layer) and operation.compute_dtype in SIXTEEN_BITS:
        raise ConfigError(f"it counts with 16 bits ({operation.compute_dtype})")
    args, keywords = keras.tree.map_structure(
        lambda each: known[id(each)] if isinstance(each, keras.KerasTensor) else each, (args, keywords)
    )
    made = steps_of(program, operation, args, keywords)
    known[id(call.outputs[0])] = dataclasses.replace(made, shape=tuple(call.outputs[0].shape))
