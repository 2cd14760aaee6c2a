"""Finds callbacks that would wait for a value that never comes, or compare in the wrong direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig

from dltrain.base.errors import did_you_mean
from dltrain.base.shell_words import quoted
from dltrain.config.metric_traits import KERAS

MODES = ("auto", "min", "max")

# The values that callbacks add to the logs of an epoch.
RECORDED = {
    "LearningRate": ("learning_rate",),
    "ReduceLROnPlateau": ("learning_rate",),
    "Convergence": ("gradient_norm", "loss_change", "weight_change"),
}


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each callback that cannot work."""
    nodes = {str(name): node for name, node in config.callbacks.items() if node is not None}
    for key, node in {"task": config.task, **{f"callbacks.{name}": node for name, node in nodes.items()}}.items():
        monitor = node.get("monitor")
        shipped = str(node.get("_target_")).startswith(("keras.", "dltrain."))
        if shipped and "monitor" in node and not isinstance(monitor, str):
            yield f"{key}.monitor: expected the name of a metric, such as val_loss, got {monitor}."
        follows = key != "task" and monitor == config.task.monitor
        yield from _mode(key, node, config.task, monitor)
        if isinstance(monitor, str) and not follows and not _is_known(monitor, config, nodes):
            near = did_you_mean(monitor, _recorded(config, nodes))
            yield f"{key}.monitor: no metric of task={config.task.name} gives '{monitor}'.{near}"
    split = config.get("split")
    if split is not None and "validation" in split and split.validation is None:
        yield from (
            f"callbacks.{name} watches {node.monitor}, and split.validation=null leaves no validation part. Use "
            f"{quoted(f'~callbacks.{name}')}."
            for name, node in nodes.items()
            if str(node.get("monitor")).startswith("val_")
        )
    plateau = [name for name, node in nodes.items() if "ReduceLROnPlateau" in str(node.get("_target_"))]
    if config.schedule is not None and plateau:
        yield (
            f"callbacks.{plateau[0]} sets the learning rate, and so does "
            f"schedule={config.schedule['_target_'].rpartition('.')[2]}: expected one of the two. "
            f"Use schedule=constant, or {quoted(f'~callbacks.{plateau[0]}')}."
        )
    if config.schedule is not None and config.schedule.get("epochs") == []:
        yield "schedule.epochs: expected one epoch at least, got an empty list. Use schedule=constant."
    for name, node in nodes.items():
        counts = [key for key in ("every_epochs", "every_steps", "every_samples") if node.get(key) is not None]
        if str(node.get("_target_")).endswith(".Checkpoint") and len(counts) > 1:
            yield f"callbacks.{name}: expected at most one of {' and '.join(counts)}."


def too_late(config: DictConfig, words: list[str]) -> Iterator[str]:
    """Yields a sentence for each of the typed keys (`words`) that takes effect only after the last epoch."""
    if "trainer.epochs" not in words:
        return
    epochs = config.trainer.epochs
    keys = [f"callbacks.{name}.{key}" for name in config.callbacks for key in ("patience", "start_from_epoch")]
    for key in [*keys, "schedule.warmup_epochs"]:
        node = config.callbacks.get(key.split(".")[1]) if key.startswith("callbacks.") else config.schedule
        value = (node or {}).get(key.rpartition(".")[2])
        if key in words and isinstance(value, int) and value >= epochs:
            without = f", or {quoted('~' + key.rpartition('.')[0])}" if key.startswith("callbacks.") else ""
            yield f"{key}: {value} has no effect in {epochs} epochs (trainer.epochs); expected less{without}."
    steps = config.schedule.get("epochs") if config.schedule is not None else None
    if "schedule.epochs" in words and steps and all(step >= epochs for step in steps):
        yield f"schedule.epochs: none of {list(steps)} is reached in {epochs} epochs (trainer.epochs)."


def _recorded(config: DictConfig, nodes: dict[str, Any]) -> list[str]:
    metrics = list(config.task.get("metrics") or {})
    names = ["loss", *metrics, "val_loss", *(f"val_{name}" for name in metrics)]
    targets = [str(node.get("_target_")).rpartition(".")[2] for node in nodes.values()]
    return list(dict.fromkeys([*names, *(name for target in targets for name in RECORDED.get(target, ()))]))


def _is_known(monitor: str, config: DictConfig, nodes: dict[str, Any]) -> bool:
    # The metrics of task=auto are known only with the target, so that the training checks its monitors itself.
    return "metrics" not in config.task or monitor in _recorded(config, nodes)


def _mode(key: str, node: DictConfig, task: DictConfig, monitor: Any) -> Iterator[str]:
    mode = node.get("mode")
    if mode is not None and mode not in MODES:
        yield f"{key}.mode: expected {', '.join(MODES)}, got '{mode}'.{did_you_mean(str(mode), MODES)}"
    if not isinstance(monitor, str) or mode in ("min", "max"):
        return
    metric = (task.get("metrics") or {}).get(monitor.removeprefix("val_")) or {}
    target = str(metric.get("_target_") or "")
    known = KERAS.get(target.rpartition(".")[2]) if target.startswith("keras.") else None
    undirected = known is not None and known.direction is None
    if (undirected or monitor == "learning_rate") and key != "task":
        yield (f"{key}.monitor: '{monitor}' does not say whether less or more is better. Set {key}.mode to min or max.")
