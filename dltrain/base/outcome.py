"""Describes what a check found: fine, something to look at, or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FINE, LOOK, FAILED = "fine", "look", "failed"


@dataclass(frozen=True)
class Outcome:
    """What one check found."""

    name: str
    status: str  # fine, look (a person should) or failed
    text: str  # what was found, in a sentence
    details: tuple[Mapping[str, Any], ...] = ()  # a row for each layer, rate or size that was looked at
    tries: tuple[str, ...] = ()  # overrides that are worth a try
