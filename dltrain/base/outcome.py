"""What a check found: fine, something to look at, or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FINE, LOOK, FAILED = "fine", "look", "failed"


@dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes:
        name: of the check.
        status: fine, look (a person should) or failed.
        text: what was found, in a sentence.
        details: a row for each layer, rate or size that it looked at.
        tries: overrides that are worth a try.
    """

    name: str
    status: str
    text: str
    details: tuple[Mapping[str, Any], ...] = ()
    tries: tuple[str, ...] = ()
