"""Loads TensorFlow without the messages of its C++ side on features of the CPU and missing GPUs."""

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

from dltrain.internals.later_imports import imported_later

# What Keras imports for pictures and notebooks alone, which takes half a second.
SELDOM_USED = ("matplotlib", "matplotlib.pyplot", "matplotlib.patches", "IPython")


def load(config: Any = None) -> None:
    """Imports TensorFlow and finds its devices; if TF_CPP_MIN_LOG_LEVEL is set, its messages follow it.

    `config` is that of the run, if it is known.
    """
    if is_loaded():
        return
    with importing():
        _import()
    if config is not None:
        settle(config)


def settle(config: Any) -> None:
    """Makes the settings that fit a run and have to be made before TensorFlow's first operation."""
    if config.cv is None and config.seeds == 1 and config.strategy is None:
        _run_operations_in_turn()


def is_loaded() -> bool:
    """Returns whether TensorFlow has been imported."""
    return "tensorflow" in sys.modules


@contextmanager
def importing() -> Iterator[None]:
    """Imports large packages in less time.

    The garbage collector would search their million objects again and again and find nothing, which takes a sixth of
    the time. They stay, so that later searches leave them out too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _run_operations_in_turn() -> None:
    """Lets one thread start all operations, each of which may still use all cores.

    The operations of a training wait for each other, and a second idle thread would take them from the first, so that a
    small step took half as long again.
    """
    if "TF_NUM_INTEROP_THREADS" not in os.environ:
        import tensorflow as tf

        tf.config.threading.set_inter_op_parallelism_threads(1)


def _import() -> None:
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") != "3":  # which the process that forked this one may have set
        _import_both()
        return
    # Its first messages come before any setting is read, so that they can only be held back at the file descriptor.
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # TensorFlow would warn of the many graphs that the jobs of a sweep trace.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with standard_error_held():
        _import_both()
        import tensorflow as tf

        tf.config.list_physical_devices()


def _import_both() -> None:
    with imported_later(*SELDOM_USED):
        importlib.import_module("tensorflow")
        importlib.import_module("keras")


@contextmanager
def standard_error_held() -> Iterator[None]:
    """Holds back what is written to standard error, and writes it after all if the block fails.

    After Ctrl-C or SIGTERM it would tell a person nothing.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            with os.fdopen(os.dup(saved), "wb") as error:  # os.write may write a part alone
                error.write(held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
