"""Models of thousands of columns: Keras asks its list of inputs anew for each of them, and need not.

For every node of a graph Keras flattens the list of all inputs, so that the time to build or load a model grows with
the square of its columns: 27 seconds at 10,000. The list that it has just flattened is given back instead.
"""

from __future__ import annotations

from typing import Any

import keras

from dltrain.internals.private_names import missing

NAMES = ("keras.src.ops.function.tree", "keras.src.tree.flatten")


class _Tree:
    """Keras' functions for nested structures, of which `flatten` remembers the last list of symbolic tensors."""

    def __init__(self) -> None:
        self._last: tuple[Any, list[Any]] = (None, [])

    def __getattr__(self, name: str) -> Any:
        return getattr(keras.src.tree, name)

    def flatten(self, structure: Any) -> list[Any]:
        """The leaves of a structure; of the very same list as before without looking at it again."""
        before, leaves = self._last
        if structure is before and len(structure) == len(leaves):
            return leaves
        leaves = list(keras.src.tree.flatten(structure))
        # Real tensors are not held here, which may be a whole dataset.
        if type(structure) is list and all(keras.backend.is_keras_tensor(leaf) for leaf in leaves):
            self._last = structure, leaves
        return leaves


def flatten_once() -> None:
    """Has Keras flatten the inputs of a model once, from here on; where Keras is made otherwise, nothing happens."""
    if missing(NAMES):
        return
    from keras.src.ops import function

    if function.tree is keras.src.tree:
        function.tree = _Tree()
