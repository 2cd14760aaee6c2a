"""Has a library import a package only when it uses it, which it may never do."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from typing import Any


class _StandIn(types.ModuleType):
    """Stands for a module, which is imported when one of its names is needed."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for each in (self.__name__.partition(".")[0], self.__name__):  # needed within the block, as by another thread
            if isinstance(sys.modules.get(each), _StandIn):
                del sys.modules[each]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def imported_later(*names: str) -> Iterator[None]:
    """Within the block, who imports one of these modules gets a stand-in; a package is named before its modules.

    Packages that are imported already, or are not installed, stay as they are.
    """
    stand_ins: dict[str, types.ModuleType] = {}
    for name in names:
        package, _, own = name.rpartition(".")
        if name in sys.modules or (package not in stand_ins if package else importlib.util.find_spec(name) is None):
            continue
        stand_ins[name] = _StandIn(name)
        stand_ins[name].__spec__ = ModuleSpec(name, None)
        if package:
            setattr(stand_ins[package], own, stand_ins[name])
    sys.modules |= stand_ins
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
