"""Runs a block with the settings of TensorFlow and Keras that a new process has, and puts back those that were set."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dltrain.base.errors import ConfigError

RESTART = "Restart Python (in a notebook: the kernel) and call dltrain first."


@contextmanager
def as_in_a_new_process() -> Iterator[None]:
    """Lets a run give the same numbers in a process that was used for other things before.

    The precision, float type, epsilon, image format, XLA, eager functions and the determinism of operations are those
    of a new process, and afterwards what they were, as are the states of Python's and NumPy's generators.

    Raises:
        ConfigError: If what cannot be changed any more was chosen before; it is named.
    """
    loaded = "keras" in sys.modules and "tensorflow" in sys.modules
    if loaded:
        _refuse_what_stays()
    before = _settings() if loaded else None
    drawn = random.getstate()
    numpy = sys.modules.get("numpy")
    numpy_drawn = None if numpy is None else numpy.random.get_state()
    if before is not None:
        # A run sets the determinism itself, and what changes twice has to be compiled twice.
        _set(_of_a_new_process() | {"deterministic": before["deterministic"]})
    try:
        yield
    finally:
        random.setstate(drawn)
        if numpy is not None:
            numpy.random.set_state(numpy_drawn)
        if "keras" in sys.modules and "tensorflow" in sys.modules:
            _set(before or _of_a_new_process())


def _refuse_what_stays() -> None:
    import keras
    import tensorflow as tf

    if keras.config.backend() != "tensorflow":
        raise ConfigError(
            f"Keras runs on {keras.config.backend()} in this process, expected TensorFlow: leave KERAS_BACKEND out. "
            f"{RESTART}"
        )
    if not tf.executing_eagerly():
        raise ConfigError(
            "TensorFlow's eager execution is off here (tf.compat.v1.disable_eager_execution, or a tf.Graph around the "
            f"call), expected it on. {RESTART}"
        )
    if tf.distribute.has_strategy():
        raise ConfigError("A tf.distribute strategy is around the call: leave its scope and choose strategy=… instead.")


def _of_a_new_process() -> dict[str, Any]:
    return {
        "policy": "float32",
        "floatx": "float32",
        "epsilon": 1e-7,
        "image_data_format": "channels_last",
        "eager": False,
        "jit": "",
        "deterministic": False,
    }


def _settings() -> dict[str, Any]:
    import keras
    import tensorflow as tf

    from dltrain.internals.determinism import is_deterministic

    return {
        "policy": keras.config.dtype_policy(),
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
        "eager": tf.config.functions_run_eagerly(),
        "jit": tf.config.optimizer.get_jit(),
        "deterministic": is_deterministic(),
    }


def _set(wanted: dict[str, Any]) -> None:
    import keras
    import tensorflow as tf

    from dltrain.internals.determinism import make_deterministic

    keras.config.set_floatx(wanted["floatx"])
    keras.config.set_dtype_policy(wanted["policy"])
    keras.config.set_epsilon(wanted["epsilon"])
    keras.config.set_image_data_format(wanted["image_data_format"])
    if wanted["eager"] != tf.config.functions_run_eagerly():
        tf.config.run_functions_eagerly(wanted["eager"])
    if wanted["jit"] != tf.config.optimizer.get_jit():
        tf.config.optimizer.set_jit(wanted["jit"] or False)
    make_deterministic(wanted["deterministic"])
