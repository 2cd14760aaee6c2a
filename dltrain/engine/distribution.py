"""One model trained on several devices or hosts: each batch is split among replicas, whose gradients are added up.

Every replica has all the data and takes its share of a batch by its number, so that all see the same order of rows.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from dltrain.base.errors import ConfigError

EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


def mirrored(devices: Sequence[str] | None = None) -> tf.distribute.MirroredStrategy:
    """Several devices of this host.

    Args:
        devices: such as `GPU:0`; None takes all GPUs.

    Raises:
        ConfigError: there are fewer than two, or one of them is not there.
    """
    there = [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices()]
    wanted = [name for name in there if name.startswith("GPU:")] if devices is None else list(devices)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise ConfigError(f"strategy.devices: there is no {', '.join(missing)} here. Choose from {', '.join(there)}.")
    if len(wanted) < 2:
        kind = "GPUs" if devices is None else "devices"
        raise ConfigError(
            f"strategy=mirrored splits each batch over the {kind} of this host: expected at least two, "
            f"got {len(wanted)}. Use strategy=none."
        )
    return _mirrored(tuple(wanted))


@functools.cache  # a second one for the same devices, as in a sweep, would mistake its messages for those of the first
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    return tf.distribute.MirroredStrategy(devices)


def multi_worker() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Several processes, on one or many hosts, which `TF_CONFIG` names.

    Raises:
        ConfigError: `TF_CONFIG` does not name at least two workers and which of them this process is.
    """
    given = os.environ.get("TF_CONFIG", "")
    try:
        cluster = json.loads(given or "{}")
        workers, place = cluster["cluster"]["worker"], cluster["task"]["index"]
        complete = len(workers) > 1 and place in range(len(workers))
    except (json.JSONDecodeError, KeyError, TypeError):
        complete = False
    if not complete:
        raise ConfigError(
            "strategy=multi_worker splits each batch over at least two processes. Start this command for each of them "
            f"with the environment variable TF_CONFIG, such as '{EXAMPLE}', and an index of its own; "
            f"got {repr(given) if given else 'none'}."
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def replicas() -> int:
    """How many share each batch; 0 where nothing is distributed."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync) if tf.distribute.has_strategy() else 0


def require_equal_shares(batch_size: int, rows: int) -> None:
    """Checks that every replica gets rows of every batch, and as many as the others of a whole one.

    Args:
        batch_size: rows a step, of all replicas together.
        rows: of an epoch.

    Raises:
        ConfigError: it would not.
    """
    count = replicas() or 1
    if batch_size % count:
        raise ConfigError(
            f"trainer.batch_size: {count} replicas share each batch, expected a multiple of {count}, got {batch_size}."
        )
    if 0 < rows % batch_size < count:
        raise ConfigError(
            f"trainer.batch_size: of {rows} training rows in batches of {batch_size} the last has {rows % batch_size} "
            f"left for {count} replicas. Choose another size."
        )


def on_replicas(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function on every replica, or simply calls it where there is one."""
    if not tf.distribute.has_strategy():
        return function(*arguments)
    return tf.distribute.get_strategy().run(function, args=arguments)


@contextlib.contextmanager
def dense_gradients(optimizer: keras.Optimizer) -> Iterator[None]:
    """Gives an optimizer whole gradients while a step is traced; replicas cannot add up parts of different sizes."""
    apply = optimizer.apply_gradients
    optimizer.apply_gradients = lambda pairs: apply(
        [(each if each is None else tf.convert_to_tensor(each), weight) for each, weight in pairs]
    )
    try:
        yield
    finally:
        del optimizer.apply_gradients


def local(variable: keras.Variable) -> tf.Variable:
    """What this process holds of a variable, by which a tape knows it."""
    return tf.distribute.get_strategy().experimental_local_results(variable.value)[0]


def share(rows: Any) -> Any:
    """The rows of a batch that this replica works on; within `on_replicas`.

    Args:
        rows: positions, shape (rows,).
    """
    if not tf.distribute.has_strategy():
        return rows
    context = tf.distribute.get_replica_context()
    number, count = context.replica_id_in_sync_group, context.num_replicas_in_sync
    size = tf.shape(rows)[0]
    return rows[number * size // count : (number + 1) * size // count]
