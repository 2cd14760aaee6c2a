"""Tells whether all private names exist that fast training needs."""

from __future__ import annotations

import functools
import logging
import threading

from dltrain.internals import keras_training, tensorflow_graphs
from dltrain.internals.private_names import missing

NAMES = (*keras_training.NAMES, *tensorflow_graphs.NAMES)

logger = logging.getLogger("dltrain")


_lock = threading.Lock()  # folds and seeds train side by side


def is_whole() -> bool:
    """Returns whether no name is missing; otherwise trainings have the same numbers, and the log tells once."""
    with _lock:
        return not missing_names()


@functools.cache
def missing_names() -> tuple[str, ...]:
    """Returns the names that the installed libraries lack, and tells them when it is first called."""
    gone = tuple(missing(NAMES))
    if gone:
        logger.info(
            "Each training traces graphs of its own, and takes longer: the installed TensorFlow and Keras lack %s",
            ", ".join(gone),
        )
    return gone
