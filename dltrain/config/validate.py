"""Finds combinations of keys that cannot work or have no effect, before TensorFlow is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.base.errors import did_you_mean
from dltrain.config import (
    answer_rules,
    callback_rules,
    head_rules,
    model_rules,
    normalization_rules,
    ranges,
    search_rules,
    split_rules,
)
from dltrain.config.signatures import TargetSignature, signature
from dltrain.config.sources import Unknown

VARIANTS = tuple(f"B{number}" for number in range(8))
CNN_CHOICES = {"pooling": ("max", "average", "none"), "end": ("average", "max", "flatten")}
# Suggested for a misspelt activation; Keras has more.
ACTIVATIONS = ("relu", "tanh", "sigmoid", "softmax", "selu", "elu", "gelu", "silu", "softplus", "leaky_relu", "linear")

CV_KEYS = {
    "kfold": ("folds",),
    "repeated_kfold": ("folds", "repeats"),
    "group_kfold": ("folds", "group", "group_is_feature"),
    "time": ("folds",),
}


def faults(config: DictConfig, *, lenient: bool) -> list[str]:
    """Returns a sentence for each combination of keys that cannot work.

    If `lenient`, single keys are known to be faulty, so that a check that fails because of them is skipped.
    """
    checks: tuple[Callable[[DictConfig], Iterator[str]], ...] = (
        _shares,
        callback_rules.faults,
        lambda config: callback_rules.too_late(config, typed(config.hydra)),
        ranges.faults,
        _model_ignores,
        normalization_rules.faults,
        _layers,
        lambda config: head_rules.faults(config.task),
        _cross_validation,
        split_rules.faults,
        answer_rules.faults,
        _strategy,
        _without_effect,
        lambda config: search_rules.faults(config, typed(config.hydra)),
        lambda config: model_rules.faults(config, typed(config.hydra)),
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
    """Returns the keys and groups that were typed on the command line, such as `model` or `trainer.epochs`.

    `hydra` is the node of Hydra's own settings.
    """
    return keys(hydra.overrides.task)


def keys(overrides: Iterable[str]) -> list[str]:
    """Returns the keys and groups of overrides."""
    return [word.split("=")[0].lstrip("+~") for word in overrides]


def _shares(config: DictConfig) -> Iterator[str]:
    if not str(config.split.get("_target_")).startswith("dltrain."):
        return
    given = {name: config.split.get(name) for name in ("train", "validation", "test")}
    shares = {name: share for name, share in given.items() if share is not None}
    wrong = {name: share for name, share in shares.items() if not 0 < share < 1}
    yield from (f"split.{name}: expected a share above 0 and below 1, got {share}." for name, share in wrong.items())
    if len(shares) == 3 and not wrong and abs(sum(shares.values()) - 1) > 1e-6:
        yield f"split: expected three shares that add up to 1, got {', '.join(map(str, shares.values()))}."


def _model_ignores(config: DictConfig) -> Iterator[str]:
    found = signature(str(config.model.get("_target_")))
    if not isinstance(found, TargetSignature) or found.open:
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


def _layers(config: DictConfig) -> Iterator[str]:
    position = config.model.get("normalization_position")
    positions = ("before_activation", "after_activation")
    if position is not None and position not in positions:
        yield (
            f"model.normalization_position: expected {' or '.join(positions)}, got '{position}'."
            f"{did_you_mean(position, positions)}"
        )
    for key in ("model.activation", "task.activation"):
        name = OmegaConf.select(config, key)
        if isinstance(name, str) and isinstance(signature(f"keras.activations.{name}"), Unknown):
            yield f"{key}: Keras has no activation '{name}'.{did_you_mean(name, ACTIVATIONS)}"
    model = str(config.model.get("_target_")).rpartition(".")[2]
    if model == "efficientnet":
        yield from _efficientnet(config)
    for key, names in CNN_CHOICES.items() if model == "cnn" else ():
        if config.model[key] not in names:
            yield f"model.{key}: expected {', '.join(names)}, got '{config.model[key]}'."
    if model == "cnn" and isinstance(config.model.filters, str) and config.model.filters != "auto":
        yield f"model.filters: expected a list such as [32,64], or auto, got '{config.model.filters}'."
    if model == "cnn" and not config.model.filters:
        yield "model.filters: expected the channels of one stage at least, got an empty list. Use model=mlp."
    for key in ("dropout", "activation", "normalization_position") if model == "mlp" and not config.model.units else ():
        if f"model.{key}" in typed(config.hydra):
            yield f"model.{key} has no effect without a hidden layer; give one with 'model.units=[32]'."


def _efficientnet(config: DictConfig) -> Iterator[str]:
    model = config.model
    if model.variant not in VARIANTS:
        yield f"model.variant: expected one of {', '.join(VARIANTS)}, got '{model.variant}'."
    if not str(config.scaling.get("_target_")).endswith(".scaling.none"):
        yield "scaling: model=efficientnet has a scaling of its own, for bytes as they are. Use scaling=none."
    if config.regularization_schedule is not None and model.weights != "none" and model.fine_tune_epochs:
        yield (
            "regularization_schedule: it ends with the training of the head, and the fine-tuning would have none. "
            "Use regularization_schedule=constant or model.fine_tune_epochs=0."
        )
    words = typed(config.hydra)
    for key in ("layers", "epochs", "learning_rate"):
        if f"model.fine_tune_{key}" in words and model.weights == "none":
            yield f"model.fine_tune_{key} has no effect with model.weights=none: all are trained from the start."


def _cross_validation(config: DictConfig) -> Iterator[str]:
    if config.seeds > 1 and config.seed + config.seeds > 2**32:
        yield f"seeds: the {config.seeds} seeds from seed={config.seed} on exceed {2**32 - 1}."
    if config.cv is None:
        return
    takes = CV_KEYS.get(config.cv.name, ())
    for key in ("folds", "repeats", "group", "group_is_feature"):
        if config.cv.get(key) is not None and key not in takes:
            having = " or ".join(f"cv={name}" for name, keys in CV_KEYS.items() if key in keys)
            yield f"cv.{key} has no effect with cv={config.cv.name}; expected {having}."
        elif (
            key in takes
            and key != "group_is_feature"
            and config.cv.get(key) is None
            and not OmegaConf.is_missing(config.cv, key)
        ):
            yield f"cv.{key}: cv={config.cv.name} needs a value here."
    if config.seeds > 1:
        yield (
            "seeds repeats a run of one split, and cv has splits of its own: expected one of the two. "
            f"Use cv=repeated_kfold cv.repeats={config.seeds}."
        )


def _strategy(config: DictConfig) -> Iterator[str]:
    if config.strategy is None:
        return
    if config.cv is not None or config.seeds > 1:
        yield (
            "strategy: folds and seeds are trained side by side in one process; expected one training with a strategy, "
            "or strategy=none."
        )


def _without_effect(config: DictConfig) -> Iterator[str]:
    words: list[Any] = typed(config.hydra)
    if config.quiet and config.verbose:
        yield "quiet and verbose are both true; expected one of the two."
    clips = [key for key in ("clipnorm", "global_clipnorm", "clipvalue") if config.optimizer.get(key) is not None]
    if len(clips) > 1:
        yield f"optimizer: {' and '.join(clips)} exclude each other; expected one of them."
    if "encoding.dimension" in words and config.encoding.name != "embedding":
        yield f"encoding.dimension has no effect with encoding={config.encoding.name}; expected encoding=embedding."
    sgd = str(config.optimizer.get("_target_")) == "keras.optimizers.SGD"
    if sgd and config.optimizer.get("nesterov") and not config.optimizer.get("momentum"):
        yield "optimizer.nesterov has no effect without optimizer.momentum; use optimizer=nesterov."
    if "optimizer.ema_momentum" in words and not config.optimizer.get("use_ema"):
        yield "optimizer.ema_momentum has no effect without optimizer.use_ema=true."
    if "trainer.memory_budget" in words and config.trainer.engine != "auto":
        yield (
            f"trainer.memory_budget has no effect with trainer.engine={config.trainer.engine}; "
            "expected trainer.engine=auto."
        )
    if config.trainer.jit_compile is True and config.strategy is not None:
        yield "trainer.jit_compile=true has no effect with strategy=, whose steps are not compiled; expected auto."
    if "callbacks.tensorboard.augmented" in words and not any(config.augmentation.values()):
        yield "callbacks.tensorboard.augmented has no effect without augmentation. Choose one with augmentation=."
    linear = str(config.model.get("_target_")).endswith(".mlp.linear") or config.model.get("units") == []
    if "callbacks.tensorboard.embeddings" in words and linear:
        yield "callbacks.tensorboard.embeddings has no effect without a hidden layer. Choose another model=."
    if "model.normalization_position" in words and config.normalization is None:
        yield "model.normalization_position has no effect with normalization=none."
