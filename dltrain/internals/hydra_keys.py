"""Lets Hydra's overrides map any name of a column to a value, such as `dataset.kinds={"Größe (cm)": numeric}`.

Hydra's grammar has no quotes around a key in braces, and no letters beyond ASCII in it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

# Keys that are null or map names of the data, such as columns and classes, to values.
OPEN = ("dataset.kinds", "dataset.decimal", "dataset.thousands", "task.class_weight")
NAMES = (
    "hydra.core.override_parser.overrides_parser.OverridesParser.parse_rule",
    "hydra.core.override_parser.types.Override._value",
)
LINE = re.compile(rf"(\+{{0,2}}(?:{'|'.join(map(re.escape, OPEN))})=)\{{(.*)\}}", re.DOTALL)
QUOTED = r'"(?:[^"\\]|\\.)*"'
ENTRY = re.compile(rf"\s*({QUOTED}|(?:\\.|[^\\,:{{}}\"'])(?:\\.|[^\\,:{{}}])*?)\s*:\s*([\w.+-]+)\s*(,|$)", re.DOTALL)

parse_as_hydra_does = OverridesParser.parse_rule


def parse_rule(self: OverridesParser, s: str, rule_name: str) -> Any:
    """Parses a rule of Hydra's grammar, and keys in braces that it has no rule for."""
    try:
        return parse_as_hydra_does(self, s, rule_name)
    except HydraException:
        entries = _entries(s) if rule_name == "override" else None
        if entries is None:
            raise
    place = (LINE.fullmatch(s) or [s])[1]
    # Hydra types the values, under names that its grammar knows.
    override: Override = parse_as_hydra_does(
        self, f"{place}{{{', '.join(f'name_{n}: {value}' for n, value in enumerate(entries.values()))}}}", rule_name
    )
    override._value = dict(zip(entries, override.value().values(), strict=True))  # type: ignore[union-attr]
    return override


def _entries(line: str) -> dict[str, str] | None:
    """Returns the words of a mapping by key, or None if the line holds none."""
    found = LINE.fullmatch(line)
    entries: dict[str, str] = {}
    place = 0
    while found and place < len(found[2]):
        entry = ENTRY.match(found[2], place)
        if entry is None:
            return None
        key = json.loads(entry[1]) if entry[1].startswith('"') else re.sub(r"\\(.)", r"\1", entry[1])
        entries[key] = entry[2]
        place = entry.end()
    return entries or None


OverridesParser.parse_rule = parse_rule  # type: ignore[method-assign]
