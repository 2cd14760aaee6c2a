"""Combinations that cannot work or would have no effect, found before TensorFlow is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig
from omegaconf.errors import OmegaConfBaseException

from dltrain.config.signatures import Signature, signature
from dltrain.errors import did_you_mean

CLASS_TASKS = ("auto", "binary", "multiclass")


def faults(config: DictConfig, *, lenient: bool) -> list[str]:
    """A sentence for each combination of keys that cannot work.

    Args:
        config: composed; its node `hydra` tells which keys were typed.
        lenient: whether keys are known to be faulty by themselves, so that a check may stumble over them.
    """
    checks: tuple[Callable[[DictConfig], Iterator[str]], ...] = (
        _shares,
        _monitors,
        _learning_rate,
        _model_ignores,
        _normalization,
        _dropout,
        _head,
        _without_effect,
    )
    found: list[str] = []
    for check in checks:
        try:
            found += check(config)
        except (AttributeError, KeyError, TypeError, OmegaConfBaseException):
            if not lenient:
                raise
    return found


def typed(hydra: Any) -> list[str]:
    """The keys and groups that were typed on the command line, such as `model` or `trainer.epochs`.

    Args:
        hydra: the node of Hydra's own settings.
    """
    return [word.split("=")[0].lstrip("+~") for word in hydra.overrides.task]


def _shares(config: DictConfig) -> Iterator[str]:
    if not str(config.split.get("_target_")).startswith("dltrain.data.split."):
        return
    shares = {name: config.split[name] for name in ("train", "validation", "test") if name in config.split}
    wrong = {name: share for name, share in shares.items() if not 0 < share < 1}
    yield from (f"split.{name}: expected a share above 0 and below 1, got {share}." for name, share in wrong.items())
    if len(shares) == 3 and not wrong and abs(sum(shares.values()) - 1) > 1e-6:
        yield f"split: expected three shares that add up to 1, got {', '.join(map(str, shares.values()))}."


def _monitors(config: DictConfig) -> Iterator[str]:
    if "metrics" not in config.task:
        return  # task=auto: the metrics are known when the target is; the training checks them then
    recorded = [
        "loss",
        *config.task.metrics,
        "val_loss",
        *(f"val_{name}" for name in config.task.metrics),
        "learning_rate",
    ]
    nodes = {f"callbacks.{name}.monitor": (node or {}).get("monitor") for name, node in config.callbacks.items()}
    for key, monitor in {"task.monitor": config.task.monitor, **nodes}.items():
        follows = key != "task.monitor" and monitor == config.task.monitor
        if isinstance(monitor, str) and monitor not in recorded and not follows:
            yield f"{key}: no metric of task={config.task.name} gives '{monitor}'.{did_you_mean(monitor, recorded)}"


def _learning_rate(config: DictConfig) -> Iterator[str]:
    plateau = [
        name for name, node in config.callbacks.items() if "ReduceLROnPlateau" in str((node or {}).get("_target_"))
    ]
    if config.schedule is not None and plateau:
        yield (
            f"callbacks.{plateau[0]} sets the learning rate, and so does "
            f"schedule={config.schedule['_target_'].rpartition('.')[2]}: expected one of the two. "
            f"Use schedule=constant, or ~callbacks.{plateau[0]}."
        )


def _model_ignores(config: DictConfig) -> Iterator[str]:
    found = signature(str(config.model.get("_target_")))
    if not isinstance(found, Signature) or found.open:
        return
    penalised = config.regularizer.kernel is not None or config.regularizer.bias is not None
    chosen = {
        "initializer": "initializer" in typed(config.hydra),
        "regularizer": penalised,
        "normalization": "normalization" in typed(config.hydra) and config.normalization is not None,
    }
    for group, wanted in chosen.items():
        if wanted and group not in found.parameters:
            takes = [name for name in chosen if name in found.parameters]
            yield (
                f"{group}: model {config.model['_target_'].rpartition('.')[2]} has no use for it"
                f" (it takes {', '.join(takes) or 'none of these groups'}). Leave {group} out or choose another model=."
            )


def _normalization(config: DictConfig) -> Iterator[str]:
    node = config.normalization
    units = _layer_widths(config)
    if node is None or not units:
        return
    target = str(node.get("_target_"))
    if (
        target.endswith("BatchNormalization")
        and config.trainer.batch_size == 1
        and str(config.model["_target_"]).endswith(".mlp")
    ):
        yield (
            "trainer.batch_size: batch normalization of a single row gives zeros; "
            "expected at least 2, or normalization=layer."
        )
    if target.endswith("GroupNormalization") and str(config.model["_target_"]).endswith(".mlp"):
        groups = node.get("groups")
        if groups == -1:
            yield "normalization=instance needs images: for a table each value would become 0. Use normalization=layer."
        elif isinstance(groups, int):
            yield from (
                f"normalization.groups: {groups} does not divide the {width} units of a layer in model.units."
                for width in dict.fromkeys(units)
                if width % groups
            )


def _dropout(config: DictConfig) -> Iterator[str]:
    rate = config.model.get("dropout")
    if isinstance(rate, (int, float)) and not isinstance(rate, bool) and not 0 <= rate < 1:
        yield f"model.dropout: expected a share from 0 to below 1, got {rate}."
    position = config.model.get("normalization_position")
    positions = ("before_activation", "after_activation")
    if position is not None and position not in positions:
        yield (
            f"model.normalization_position: expected {' or '.join(positions)}, got '{position}'."
            f"{did_you_mean(position, positions)}"
        )
    for width in _layer_widths(config):
        if width < 1:
            yield f"model.units: expected at least 1 unit a layer, got {width}."


def _layer_widths(config: DictConfig) -> list[int]:
    """The numbers in `model.units`; a person's own model may mean something else by that key."""
    units = config.model.get("units")
    return [width for width in units if isinstance(width, int)] if isinstance(units, ListConfig) else []


def _head(config: DictConfig) -> Iterator[str]:
    task = config.task
    if task.get("activation") == "softmax" and task.name in ("binary", "regression", "unit_regression"):
        yield (
            f"task.activation: softmax over the single unit of task={task.name} is always 1. "
            "Use sigmoid, or task=multiclass."
        )
    if task.get("class_weight") is not None and task.name not in CLASS_TASKS:
        yield f"task.class_weight has no effect with task={task.name}; expected task=binary or task=multiclass."


def _without_effect(config: DictConfig) -> Iterator[str]:
    words: list[Any] = typed(config.hydra)
    if "optimizer.ema_momentum" in words and not config.optimizer.get("use_ema"):
        yield "optimizer.ema_momentum has no effect without optimizer.use_ema=true."
    if "trainer.memory_budget" in words and config.trainer.engine != "auto":
        yield (
            f"trainer.memory_budget has no effect with trainer.engine={config.trainer.engine}; "
            "expected trainer.engine=auto."
        )
    if "model.normalization_position" in words and config.normalization is None:
        yield "model.normalization_position has no effect with normalization=none."
