"""Describes what a check found: fine, something to look at, or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FINE, LOOK, FAILED = "fine", "look", "failed"


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
        status: fine, look (a person should) or failed.
        text: What was found, in a sentence.
        details: A row for each layer, rate or size that was looked at.
        tries: Overrides that are worth a try.
    """

    name: str
    status: str
    text: str
    details: tuple[Mapping[str, Any], ...] = ()
    tries: tuple[str, ...] = ()
