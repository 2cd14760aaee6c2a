"""Builds the callbacks of a config, checks what they monitor, and orders them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.config.build import build
from dltrain.engine.engine import has_batch_hooks
from dltrain.training.monitor import direction
from dltrain.training.training_notes import TrainingNotes


def build_callbacks(
    nodes: DictConfig, task: DictConfig, network: keras.Model, notes: TrainingNotes, offered: Mapping[str, Any]
) -> list[keras.callbacks.Callback]:
    """Returns the callbacks of a config in calling order; one set to null is left out.

    `task` is the row of the head table, whose metrics can be monitored; `offered` holds further arguments that a
    callback may take by name, in addition to the run's directory, network and console.

    Raises:
        ConfigError: If an object is no callback, or monitors a name that is not recorded.
    """
    own = {"directory": notes.path, "network": network, "console": notes.live, "quiet": notes.quiet}
    callbacks: dict[str, keras.callbacks.Callback] = {}
    for name, node in ((str(name), node) for name, node in nodes.items()):
        if node is None:
            continue
        callbacks[name] = build(node, key=f"callbacks.{name}", **own, **offered)
        if not isinstance(callbacks[name], keras.callbacks.Callback):
            raise ConfigError(f"callbacks.{name}: {node['_target_']} is not a Keras callback.")
    recorded = ["loss", *task.metrics, "val_loss", *(f"val_{name}" for name in task.metrics), "learning_rate"]
    recorded += [name for callback in callbacks.values() for name in _records(callback) if name not in recorded]
    for name, callback in callbacks.items():
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor not in recorded:
            raise ConfigError(
                f"callbacks.{name}.monitor: no metric gives '{monitor}'.{did_you_mean(monitor, recorded)}"
            )
        if isinstance(monitor, str) and getattr(callback, "mode", None) == "auto":
            # Keras would infer the direction only after the first epoch, and knows fewer names.
            callback.mode = direction(monitor, "auto", network)
        if has_batch_hooks(callback):
            notes.note(f"callbacks.{name} is called at every step, which costs a few milliseconds each")
    # Callbacks that add to an epoch's logs come before those that write them.
    return sorted(callbacks.values(), key=lambda callback: not _records(callback))


def _records(callback: keras.callbacks.Callback) -> Sequence[str]:
    """Returns the names that a callback adds to the logs of an epoch."""
    return tuple(getattr(callback, "records", ()))
