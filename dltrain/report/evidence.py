"""Defines what a diagnosis is made from, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.config.metric_traits import MetricTraits, traits_by_name

Scores = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was found."""

    level: str  # good, notice or problem
    title: str  # a few words
    text: str  # why it is thought so, and what it means
    tries: tuple[tuple[str, ...], ...] = ()  # overrides for a next run, several words in each row


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis is made from."""

    history: Sequence[Mapping[str, float]]  # the values of each epoch by name
    scores: Scores  # for each part, metrics by name
    baselines: Mapping[str, Scores]  # for each baseline, metrics by name for each part
    rows: Mapping[str, int]  # the number of rows of each part
    best_epoch: int  # counted from 1
    settings: Mapping[str, Any] = field(default_factory=dict)  # every setting by its full key
    choices: Mapping[str, Any] = field(default_factory=dict)  # the option of each group
    # The entry of metrics.json that compares the network with the best baseline
    difference: Mapping[str, Any] | None = None
    traits: Callable[[str], MetricTraits] = traits_by_name  # returns the traits of a metric by its name
    flattered: bool = False  # whether each train row finds itself in the network, so that its scores are too good
    layers: Sequence[Mapping[str, Any]] = ()  # what `look_at_layers` found on a batch, the first layer first

    @property
    def metric(self) -> str:
        """The main metric, which is the first of the task that has a best value; the loss if there is none."""
        found = [name for name, value in self.scores["validation"].items() if value is not None and name != "loss"]
        known = [name for name in found if self.traits(name).best is not None]
        return next((name for name in known if self.scores["train"].get(name) is not None), "loss")

    def curve(self, name: str) -> list[float]:
        """Returns the values of a metric over the epochs."""
        return [epoch[name] for epoch in self.history if name in epoch]
