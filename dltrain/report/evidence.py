"""What a diagnosis is made from, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dltrain.config.metric_traits import MetricTraits, traits_by_name

Scores = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        level: good, notice or problem.
        title: a few words.
        text: why it is thought so, and what it means.
        tries: overrides for a next run, each a row of words.
    """

    level: str
    title: str
    text: str
    tries: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What a diagnosis is made from.

    Attributes:
        history: the values of each epoch by name.
        scores: of each part: metrics by name.
        baselines: of each baseline: of each part: metrics by name.
        rows: number of rows of each part.
        best_epoch: from 1.
        settings: every setting by its full key.
        difference: how far the network is ahead of the best baseline: the entry of metrics.json.
        traits: gives those of a metric by its name.
        layers: what `checkup.layers` found on a batch, first layer first.
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
        """The main metric: the first of the task of which an error is left; the loss where there is none."""
        found = [name for name, value in self.scores["validation"].items() if value is not None and name != "loss"]
        known = [name for name in found if self.traits(name).best is not None]
        return next((name for name in known if self.scores["train"].get(name) is not None), "loss")

    def curve(self, name: str) -> list[float]:
        """A value's course over the epochs."""
        return [epoch[name] for epoch in self.history if name in epoch]
