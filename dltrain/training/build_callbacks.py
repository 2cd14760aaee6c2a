"""The callbacks of a config: built, checked against what is recorded, and brought into order."""

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
    """The callbacks of a config, in the order in which they are to be called.

    Args:
        nodes: by name; null leaves one out.
        task: the row of the head table; its metrics can be monitored.
        network: compiled.
        notes: of the run.
        offered: what a callback may ask for by name, beside the run's directory, network and console.

    Raises:
        ConfigError: something is no callback, or monitors what nobody records.
    """
    callbacks: dict[str, keras.callbacks.Callback] = {}
    for name, node in ((str(name), node) for name, node in nodes.items()):
        if node is None:
            continue
        callbacks[name] = build(
            node,
            key=f"callbacks.{name}",
            directory=notes.path,
            network=network,
            console=notes.console,
            quiet=notes.quiet,
            **offered,
        )
        if not isinstance(callbacks[name], keras.callbacks.Callback):
            raise ConfigError(f"callbacks.{name}: {node['_target_']} is no Keras callback.")
    recorded = ["loss", *task.metrics, "val_loss", *(f"val_{name}" for name in task.metrics), "learning_rate"]
    recorded += [name for callback in callbacks.values() for name in _records(callback) if name not in recorded]
    for name, callback in callbacks.items():
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor not in recorded:
            raise ConfigError(
                f"callbacks.{name}.monitor: no metric gives '{monitor}'.{did_you_mean(monitor, recorded)}"
            )
        if isinstance(monitor, str) and getattr(callback, "mode", None) == "auto":
            # Keras would look for the direction at the end of the first epoch, and know fewer names.
            callback.mode = direction(monitor, "auto", network)
        if has_batch_hooks(callback):
            notes.note(f"callbacks.{name} is called at every step, which costs a few milliseconds each")
    # Those that add to an epoch's logs come before those that write them down.
    return sorted(callbacks.values(), key=lambda callback: not _records(callback))


def _records(callback: keras.callbacks.Callback) -> Sequence[str]:
    """The names under which a callback adds to the logs of an epoch."""
    return tuple(getattr(callback, "records", ()))
