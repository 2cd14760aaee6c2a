"""The same seed gives the same numbers: every generator is seeded, and operations add in a fixed order."""

from __future__ import annotations

import keras
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism  # TensorFlow's public name is for the other way


def fix_randomness(seed: int, deterministic: bool | str) -> None:
    """Seeds Python, NumPy and TensorFlow, and chooses TensorFlow's operations.

    Args:
        seed: of the run.
        deterministic: whether operations whose threads would add in any order, or that choose their algorithm by the
            clock, are kept from it; auto: where there is no GPU, since there it can cost much or be refused.
    """
    keras.utils.set_random_seed(seed)
    wanted = not tf.config.list_physical_devices("GPU") if deterministic == "auto" else deterministic
    if wanted:
        tf.config.experimental.enable_op_determinism()
    else:
        disable_op_determinism()  # an earlier job of the sweep may have asked for it
