"""The same seed gives the same numbers: every generator is seeded, and operations add in a fixed order."""

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

# What draws nothing from the generator that TensorFlow seeds.
KNOWN = ("dltrain.", "keras.", "optuna.", "hydra.", "hydra_plugins.")
# TensorFlow does not free all that it compiled for a training with that training: a megabyte or two of each stay.
KEPT_FOR = 32  # seedings, of which a training has two

_seedings = itertools.count(1)


def fix_randomness(config: DictConfig) -> None:
    """Seeds Python, NumPy and TensorFlow, and chooses TensorFlow's operations as `trainer.deterministic` says.

    With true, operations whose threads would add in any order, or that choose their algorithm by the clock, are kept
    from it; with auto where there is no GPU, since there it can cost much or be refused.

    Args:
        config: of the run.
    """
    deterministic = config.trainer.deterministic
    wanted = not tf.config.list_physical_devices("GPU") if deterministic == "auto" else deterministic
    if wanted != is_deterministic():
        # An earlier job of the sweep may have asked for the other way, and kernels may have looked at it.
        if wanted:
            tf.config.experimental.enable_op_determinism()
        else:
            _allow_any_order()
        keras.utils.set_random_seed(config.seed)
    seed_generators(config.seed, config)


def is_deterministic() -> bool:
    """Whether TensorFlow keeps to one order of operations; publicly it can be told to, but not asked."""
    from tensorflow.python.framework.config import is_op_determinism_enabled

    return bool(is_op_determinism_enabled())


def _allow_any_order() -> None:
    """Takes back the public `enable_op_determinism`, for which there is no public way."""
    from tensorflow.python.framework.config import disable_op_determinism

    disable_op_determinism()


def seed_generators(seed: int, config: DictConfig) -> None:
    """Seeds Python, NumPy and Keras; TensorFlow too, where code from elsewhere takes part.

    TensorFlow's seeding throws away what it has compiled of every graph, lest an operation go on from where its
    generator stood, and the trainings of a sweep, or folds, would have the graphs that they share compiled again and
    again. Keras draws from generators of its own instead.

    Args:
        seed: from here on.
        config: of the run.
    """
    if next(_seedings) % KEPT_FOR and _of_known_parts(OmegaConf.to_container(config)):
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
