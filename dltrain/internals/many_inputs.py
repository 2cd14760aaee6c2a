"""Speeds up models of thousands of columns, of which Keras flattens the list of inputs again and again.

Keras flattens the list of all inputs for every node of a graph, so that the time to build or load a model grows with
the square of its columns: 27 seconds at 10,000. Here the last flattened list is returned instead.
"""

from __future__ import annotations

from typing import Any

import keras

from dltrain.internals.private_names import missing

NAMES = ("keras.src.ops.function.tree", "keras.src.tree.flatten")


class _Tree:
    """Keras' functions for nested structures, with a `flatten` that remembers the last list of symbolic tensors."""

    def __init__(self) -> None:
        self._last: tuple[Any, list[Any]] = (None, [])

    def __getattr__(self, name: str) -> Any:
        return getattr(keras.src.tree, name)

    def flatten(self, structure: Any) -> list[Any]:
        """Returns the leaves of a structure, from memory if it is the same list as before."""
        before, leaves = self._last
        if structure is before and len(structure) == len(leaves):
            return leaves
        leaves = list(keras.src.tree.flatten(structure))
        # Real tensors are not kept, since they may be a whole dataset.
        if type(structure) is list and all(keras.backend.is_keras_tensor(leaf) for leaf in leaves):
            self._last = structure, leaves
        return leaves


def flatten_once() -> None:
    """Makes Keras flatten the inputs of a model once; does nothing if its private names are missing."""
    if missing(NAMES):
        return
    from keras.src.ops import function

    if function.tree is keras.src.tree:
        function.tree = _Tree()
