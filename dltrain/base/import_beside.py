"""Imports a module in a thread, while the process waits for something else."""

from __future__ import annotations

import importlib
import sys
import threading
from contextlib import suppress
from contextvars import ContextVar

# The module that a command needs at its end; what it waits for before may import it beside.
needed_at_the_end: ContextVar[str | None] = ContextVar("needed_at_the_end", default=None)


def import_beside(module: str | None) -> None:
    """Begins to import a module, if there is one; who needs it imports it as usual, and waits if it is not ready.

    No large package that the module needs may be imported at the same time elsewhere, since packages whose modules
    import each other cannot be imported from two ends at once.
    """

    def load(name: str) -> None:
        with suppress(Exception):  # who needs the module gets the error
            importlib.import_module(name)

    if module is not None and module not in sys.modules:
        # The process waits for it at its end, as a thread that is cut off in an import could make it crash.
        threading.Thread(target=load, args=(module,), name=f"import {module}").start()
