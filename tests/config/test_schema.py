from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from dltrain.config.compose import Composer
from dltrain.config.conformity import BOUNDS
from dltrain.config.schema import Config


def fields_below(schema: type, prefix: str = "") -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(schema)
    for field in dataclasses.fields(schema):
        yield f"{prefix}{field.name}", field
        for hint in (hints[field.name], *get_args(hints[field.name])):
            if isinstance(hint, type) and dataclasses.is_dataclass(hint):
                yield from fields_below(hint, f"{prefix}{field.name}.")


def test_the_shipped_config_has_exactly_the_declared_keys() -> None:
    config = Composer().compose(["dataset=synthetic"])
    assert sorted(set(map(str, config)) - {"hydra"}) == sorted(field.name for field in dataclasses.fields(Config))


def test_only_bounds_that_are_checked_are_declared() -> None:
    known = {*BOUNDS, "choices", "offered"}
    assert {
        key: set(field.metadata) - known for key, field in fields_below(Config) if set(field.metadata) - known
    } == {}


def test_no_field_has_a_value_of_its_own() -> None:
    assert {key for key, field in fields_below(Config) if field.default not in ("???", None)} == set()
