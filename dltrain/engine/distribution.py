"""Trains one model on several devices or hosts, whose replicas split each batch and add their gradients.

Every replica has all the data and takes its share of a batch by its number, so that all have the same row order.
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
    """Returns a strategy for several devices of this host, such as `GPU:0`; None takes all GPUs.

    Raises:
        ConfigError: If there are fewer than two devices, or one of them does not exist.
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


@functools.cache  # a second strategy for the same devices, as in a sweep, would mix up its messages with the first's
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    return tf.distribute.MirroredStrategy(devices)


def multi_worker() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Returns a strategy for several processes, on one or many hosts, which `TF_CONFIG` names.

    Raises:
        ConfigError: If `TF_CONFIG` does not name at least two workers and which of them this process is.
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
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:  # collective operations are set up before anything else
        raise ConfigError(
            f"strategy=multi_worker has to join its processes before TensorFlow is used for anything else: {error}. "
            "Restart Python (in a notebook: the kernel) and begin with it."
        ) from error


def replicas() -> int:
    """Returns the number of replicas that share each batch; 0 without a strategy."""
    return int(tf.distribute.get_strategy().num_replicas_in_sync) if tf.distribute.has_strategy() else 0


def require_equal_shares(batch_size: int, rows: int) -> None:
    """Refuses a batch size at which a replica gets no rows of a batch, or fewer than the others of a whole one.

    `batch_size` counts the rows of all replicas together, `rows` those of an epoch.
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
    """Calls a function on every replica, or once without a strategy."""
    if not tf.distribute.has_strategy():
        return function(*arguments)
    return tf.distribute.get_strategy().run(function, args=arguments)


@contextlib.contextmanager
def dense_gradients(optimizer: keras.Optimizer) -> Iterator[None]:
    """Makes gradients dense while a step is traced, since replicas cannot add sparse ones of different sizes."""
    apply = optimizer.apply_gradients
    optimizer.apply_gradients = lambda pairs: apply(
        [(each if each is None else tf.convert_to_tensor(each), weight) for each, weight in pairs]
    )
    try:
        yield
    finally:
        del optimizer.apply_gradients


def local(variable: keras.Variable) -> tf.Variable:
    """Returns this process' part of a variable, which a gradient tape watches."""
    return tf.distribute.get_strategy().experimental_local_results(variable.value)[0]


def share(rows: Any) -> Any:
    """Returns those row positions of a batch that this replica works on; it is called within `on_replicas`."""
    if not tf.distribute.has_strategy():
        return rows
    context = tf.distribute.get_replica_context()
    number, count = context.replica_id_in_sync_group, context.num_replicas_in_sync
    size = tf.shape(rows)[0]
    return rows[number * size // count : (number + 1) * size // count]
