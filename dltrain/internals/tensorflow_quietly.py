"""Loads TensorFlow without the greetings of its C++ side: the CPU's features, and that no GPU was found."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def load(config: Any = None) -> None:
    """Imports TensorFlow and lets it look for devices; with TF_CPP_MIN_LOG_LEVEL set, it speaks as that says.

    Args:
        config: of the run that is to come, if it is known.
    """
    if "tensorflow" in sys.modules:
        return
    # The collector would walk through a million objects of the import again and again, and find nothing: a sixth of
    # the time. What is imported stays, so it is left out of later walks too.
    gc.disable()
    try:
        _import()
    finally:
        gc.freeze()
        gc.enable()
    if config is not None and config.cv is None and config.seeds == 1 and config.strategy is None:
        _run_operations_in_turn()


def _run_operations_in_turn() -> None:
    """Lets one thread begin all operations, of which each may still be shared among all cores.

    The operations of one training wait for each other, and a second thread with nothing to do takes them away from
    the first: a small step then takes half as long again.
    """
    if "TF_NUM_INTEROP_THREADS" not in os.environ:
        import tensorflow as tf

        tf.config.threading.set_inter_op_parallelism_threads(1)


def _import() -> None:
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        importlib.import_module("tensorflow")
        return
    # Its first lines come before any setting is read, so they can only be held back at the file descriptor.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # Each job of a sweep traces graphs of its own, of which TensorFlow would warn.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with standard_error_held():
        import tensorflow as tf

        tf.config.list_physical_devices()


@contextmanager
def standard_error_held() -> Iterator[None]:
    """Holds back what is written to standard error, and shows it after all if the block raises."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
