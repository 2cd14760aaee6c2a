"""Defines what a diagnosis is made from, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.config.metric_traits import MetricTraits, traits_by_name

Scores = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was found.

    Attributes:
        level: good, notice or problem.
        title: A few words.
        text: Why it is thought so, and what it means.
        tries: Overrides for a next run, several words in each row.
    """

    level: str
    title: str
    text: str
    tries: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis is made from.

    Attributes:
        history: The values of each epoch by name.
        scores: For each part, metrics by name.
        baselines: For each baseline, metrics by name for each part.
        rows: The number of rows of each part.
        best_epoch: Counted from 1.
        settings: Every setting by its full key.
        difference: The entry of metrics.json that compares the network with the best baseline.
        traits: Returns the traits of a metric by its name.
        layers: What `look_at_layers` found on a batch, the first layer first.
    """

    history: Sequence[Mapping[str, float]]
    scores: Scores
    baselines: Mapping[str, Scores]
    rows: Mapping[str, int]
    best_epoch: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    difference: Mapping[str, Any] | None = None
    traits: Callable[[str], MetricTraits] = traits_by_name
    layers: Sequence[Mapping[str, Any]] = ()

    @property
    def metric(self) -> str:
        """The main metric, which is the first of the task that has a best value; the loss if there is none."""
        found = [name for name, value in self.scores["validation"].items() if value is not None and name != "loss"]
        known = [name for name in found if self.traits(name).best is not None]
        return next((name for name in known if self.scores["train"].get(name) is not None), "loss")

    def curve(self, name: str) -> list[float]:
        """Returns the values of a metric over the epochs."""
        return [epoch[name] for epoch in self.history if name in epoch]
