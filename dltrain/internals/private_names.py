"""Names that libraries keep to themselves and that dltrain uses all the same: whether they are there.

Each module of this package lists those that it uses as `NAMES`, dotted paths that begin with a module. A test asks for
every one of them by name, so that a new release of a library tells what it took away.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from typing import Any


def missing(paths: Iterable[str]) -> list[str]:
    """Those of the names that the installed libraries do not have."""
    return [path for path in paths if not is_there(path)]


def is_there(path: str) -> bool:
    """Whether a name exists: a module, something in it, or an attribute that the constructor of a class there sets."""
    owner, _, name = path.rpartition(".")
    try:
        found = _find(owner)
        return hasattr(found, name) or name in _set_by_constructor(found) or bool(importlib.import_module(path))
    except (ImportError, AttributeError):
        return False


def _find(path: str) -> Any:
    owner, _, name = path.rpartition(".")
    try:
        return importlib.import_module(path)
    except ImportError:
        if not owner:
            raise
        return getattr(_find(owner), name)


def _set_by_constructor(found: Any) -> set[str]:
    if not inspect.isclass(found):
        return set()
    made = [inspect.unwrap(vars(each)["__init__"]) for each in found.__mro__ if "__init__" in vars(each)]
    return {name for each in made if inspect.isfunction(each) for name in each.__code__.co_names}
