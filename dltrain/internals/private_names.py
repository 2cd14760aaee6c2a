"""Checks whether private names of libraries exist.

Each module of this package lists the names that it uses as `NAMES`, dotted paths that begin with a module. A test
checks each one, so that a new release of a library shows what is missing.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from typing import Any


def missing(paths: Iterable[str]) -> list[str]:
    """Returns the names that the installed libraries lack."""
    return [path for path in paths if not is_there(path)]


def is_there(path: str) -> bool:
    """Returns whether a name exists: a module, an attribute of it, or an attribute of the objects of a class."""
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
    """Returns the names in a function or a class's methods, since most attributes exist only after they ran."""
    if inspect.isfunction(found):
        return set(inspect.unwrap(found).__code__.co_names)
    if not inspect.isclass(found):
        return set()
    methods = [
        inspect.unwrap(each) for kind in found.__mro__ for each in vars(kind).values() if inspect.isfunction(each)
    ]
    return {name for each in methods for name in each.__code__.co_names}
