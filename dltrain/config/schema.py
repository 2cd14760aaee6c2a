"""Declares the keys that dltrain owns, with their types and bounds; a `_target_` is checked by its signature.

The values are in conf/ alone: no field here has its own default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

from dltrain.config.answer_rules import CRITERIA
from dltrain.config.hints import Node
from dltrain.config.tasks import TASKS

NAMED = ("callbacks", "augmentation", "tracking")  # groups whose options are nodes by name


@dataclass
class HeadRow:
    """A row of the head table: last activation, loss and metrics."""

    name: str = field(default=MISSING, metadata={"choices": ("auto", *TASKS)})
    activation: str | None = MISSING
    loss: Node = MISSING
    metrics: dict[str, Node] = MISSING
    monitor: str = MISSING
    class_weight: Any = None
    target_scaling: str | None = field(default=None, metadata={"choices": ("standard", "log", "quantile", "none")})
    quantiles: list[float] | None = None
    monte_carlo_dropout: int | None = field(default=None, metadata={"minimum": 2})


@dataclass
class Encoding:
    """How categories become numbers."""

    name: str = field(default=MISSING, metadata={"choices": ("one_hot", "embedding")})
    minimum_count: int = field(default=MISSING, metadata={"minimum": 1})
    dimension: int | None = field(default=None, metadata={"minimum": 1})
    embedding_above: int | None = field(default=None, metadata={"minimum": 2})


@dataclass
class NGrams:
    """How texts become n-grams."""

    output: str = field(default=MISSING, metadata={"choices": ("sequence", "set", "multi_hot", "count", "tf_idf")})
    standardize: str = field(
        default=MISSING, metadata={"choices": ("lower_and_strip_punctuation", "lower", "strip_punctuation", "none")}
    )
    split: str = field(default=MISSING, metadata={"choices": ("whitespace", "character")})
    ngrams: int = field(default=MISSING, metadata={"minimum": 1, "maximum": 10})
    vocabulary_size: int = field(default=MISSING, metadata={"minimum": 3})
    sequence_length: int | None = field(default=None, metadata={"minimum": 1})


@dataclass
class TextCandidates:
    """Among what text=auto chooses."""

    words: NGrams = MISSING
    pairs: NGrams = MISSING
    characters: NGrams = MISSING


@dataclass
class Text(NGrams):
    """How texts become numbers."""

    name: str | None = field(default=None, metadata={"choices": ("auto",)})
    candidates: TextCandidates | None = None


@dataclass
class Regularizer:
    """Penalties on the weights, which are added to the loss."""

    kernel: Node | None = MISSING
    bias: Node | None = MISSING


@dataclass
class Trainer:
    """How long the training runs, and in which batches."""

    epochs: int = field(default=MISSING, metadata={"minimum": 1})
    batch_size: Any = field(default=MISSING, metadata={"choices": ("auto",), "minimum": 1})
    shuffle: bool = MISSING
    engine: str = field(default=MISSING, metadata={"choices": ("auto", "resident", "streaming")})
    memory_budget: float = field(default=MISSING, metadata={"above": 0})
    precision: str = field(default=MISSING, metadata={"choices": ("float32", "mixed_bfloat16")})
    jit_compile: Any = field(default=MISSING, metadata={"choices": ("auto", True, False)})
    deterministic: Any = field(default=MISSING, metadata={"choices": ("auto", True, False)})
    save_state_seconds: float | None = field(default=MISSING, metadata={"minimum": 0})


@dataclass
class Search:
    """Which jobs a search draws, and by which values it compares them."""

    sampler: Node | None = MISSING
    points: int | None = field(default=MISSING, metadata={"minimum": 1})
    jobs: int | None = field(default=MISSING, metadata={"minimum": 1})
    seed: int = field(default=MISSING, metadata={"minimum": 0, "maximum": 2**32 - 1})
    objectives: list[str] = MISSING
    directions: str | list[str] = MISSING
    at_once: Any = field(default=MISSING, metadata={"choices": ("auto",), "minimum": 1})
    space: dict[str, Any] = MISSING
    # Of search=best alone
    minutes: float | None = field(default=None, metadata={"above": 0})
    members: int | None = field(default=None, metadata={"minimum": 1})
    recipe: str | None = None
    recipes: dict[str, Any] | None = None


@dataclass
class CrossValidation:
    """Which rows each fold scores, and whether the models of the folds are averaged."""

    name: str = field(
        default=MISSING, metadata={"choices": ("kfold", "repeated_kfold", "group_kfold", "leave_one_out", "time")}
    )
    ensemble: bool = MISSING
    folds: int | None = field(default=None, metadata={"minimum": 2})
    repeats: int | None = field(default=None, metadata={"minimum": 2})
    group: str | None = None
    group_is_feature: bool | None = None


@dataclass
class Calibration:
    """How predicted probabilities are made to match what comes true."""

    method: str = field(default=MISSING, metadata={"choices": ("auto", "temperature", "isotonic")})


@dataclass
class Threshold:
    """By what the probability is chosen above which the second of two classes is predicted."""

    criterion: str = field(default=MISSING, metadata={"choices": CRITERIA})
    false_positive_cost: float | None = field(default=None, metadata={"minimum": 0})
    false_negative_cost: float | None = field(default=None, metadata={"minimum": 0})


@dataclass
class Config:
    """The whole experiment."""

    dataset: Node = MISSING
    task: HeadRow = MISSING
    split: Node = MISSING
    cv: CrossValidation | None = MISSING
    imputation: Node = MISSING
    scaling: Node = MISSING
    encoding: Encoding = MISSING
    text: Text = MISSING
    model: Node = MISSING
    initializer: Node = MISSING
    regularizer: Regularizer = MISSING
    normalization: Node | None = MISSING
    augmentation: dict[str, Node | None] = MISSING
    optimizer: Node = MISSING
    schedule: Node | None = MISSING
    regularization_schedule: Node | None = field(default=MISSING, metadata={"offered": ("epochs",)})
    callbacks: dict[str, Node | None] = field(
        default=MISSING,
        metadata={"offered": ("directory", "data", "network", "augmentation", "batch_size", "console", "quiet")},
    )
    calibration: Calibration | None = MISSING
    threshold: Threshold | None = MISSING
    conformal: float | None = field(default=MISSING, metadata={"above": 0, "below": 1})
    trainer: Trainer = MISSING
    seed: int = field(default=MISSING, metadata={"minimum": 0, "maximum": 2**32 - 1})
    random_streams: int = field(default=MISSING, metadata={"choices": (1, 2)})
    seeds: int = field(default=MISSING, metadata={"minimum": 1})
    rows: int | None = field(default=MISSING, metadata={"minimum": 10})
    score_test: str = field(default=MISSING, metadata={"choices": ("auto", "always", "never")})
    checks: str = field(default=MISSING, metadata={"choices": ("warn", "strict", "none")})
    require_beats_baseline: bool = MISSING
    report: Any = field(default=MISSING, metadata={"choices": ("auto", True, False)})
    search: Search | None = MISSING
    strategy: Node | None = MISSING
    # A single tracker may stand there without a name, as it did in earlier versions.
    tracking: dict[str, Node | None] | Node | None = field(default=MISSING, metadata={"offered": ("config_key",)})
    keep: str = field(default=MISSING, metadata={"choices": ("best", "all", "none")})
    extend: bool = MISSING
    retry_failed: bool = MISSING
    quiet: bool = MISSING
    verbose: bool = MISSING
