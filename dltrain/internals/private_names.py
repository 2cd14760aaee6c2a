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
    """Whether a name exists: a module, something in it, or an attribute that a class there gives its objects."""
    owner, _, name = path.rpartition(".")
    try:
        found = _find(owner)
        return hasattr(found, name) or name in _in_methods(found) or bool(importlib.import_module(path))
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


def _in_methods(found: Any) -> set[str]:
    """What the methods of a class name; most attributes exist from the constructor on and not before."""
    if not inspect.isclass(found):
        return set()
    methods = [
        inspect.unwrap(each) for kind in found.__mro__ for each in vars(kind).values() if inspect.isfunction(each)
    ]
    return {name for each in methods for name in each.__code__.co_names}
