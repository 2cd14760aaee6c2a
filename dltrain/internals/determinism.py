"""Makes the same seed give the same numbers: seeds every generator and fixes the order of additions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from omegaconf import DictConfig, OmegaConf

NAMES = (
    "tensorflow.python.framework.config.disable_op_determinism",
    "tensorflow.python.framework.config.is_op_determinism_enabled",
)

# Packages that draw nothing from the generator that TensorFlow seeds.
KNOWN = ("dltrain.", "keras.", "optuna.", "hydra.", "hydra_plugins.")
# TensorFlow keeps one or two megabytes of what it compiled for each training until it is seeded again.
RESEED_EVERY = 32  # the number of seedings between two of TensorFlow; a training has two

_seedings = itertools.count(1)


def fix_randomness(config: DictConfig, seed: int) -> None:
    """Seeds Python, NumPy and TensorFlow, and chooses TensorFlow's operations as `trainer.deterministic` says.

    True excludes operations whose threads add in any order, or that choose their algorithm by the clock. Auto does so
    without a GPU, where it can be slow or refused.
    """
    deterministic = config.trainer.deterministic
    wanted = not tf.config.list_physical_devices("GPU") if deterministic == "auto" else deterministic
    if make_deterministic(wanted):
        # An earlier job of the sweep may have chosen the other setting, which kernels may have read.
        keras.utils.set_random_seed(seed)
    seed_generators(seed, config)


def is_deterministic() -> bool:
    """Returns whether operations are deterministic; TensorFlow has a public setter, but no getter."""
    from tensorflow.python.framework.config import is_op_determinism_enabled

    return bool(is_op_determinism_enabled())


def make_deterministic(wanted: bool) -> bool:
    """Sets whether operations are deterministic; returns whether that was a change."""
    if wanted == is_deterministic():
        return False
    if wanted:
        tf.config.experimental.enable_op_determinism()
    else:  # TensorFlow has no public function for it
        from tensorflow.python.framework.config import disable_op_determinism

        disable_op_determinism()
    return True


def seed_generators(seed: int, config: DictConfig) -> None:
    """Seeds Python, NumPy and Keras, and TensorFlow too if code from elsewhere takes part.

    Seeding TensorFlow discards all compiled graphs, so that the trainings of a sweep or of folds would compile the
    graphs that they share again and again. Keras draws from its own generators.
    """
    if next(_seedings) % RESEED_EVERY and _of_known_parts(OmegaConf.to_container(config)):
        with _without_tensorflow():
            keras.utils.set_random_seed(seed)
    else:
        keras.utils.set_random_seed(seed)


@contextmanager
def _without_tensorflow() -> Iterator[None]:
    seeding = tf.random.set_seed
    tf.random.set_seed = lambda seed: None
    try:
        yield
    finally:
        tf.random.set_seed = seeding


def _of_known_parts(node: Any) -> bool:
    if isinstance(node, dict):
        target = node.get("_target_")
        known = target is None or str(target).startswith(KNOWN)
        return known and all(_of_known_parts(each) for each in node.values())
    return not isinstance(node, list) or all(_of_known_parts(each) for each in node)
