"""Tells whether a person types into this Python process, and shows one line that changes in a notebook."""

from __future__ import annotations

import html
import importlib
import sys
import time
from typing import Any

UPDATE_SECONDS = 0.1  # between two changes of the line


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def is_notebook() -> bool:
    """Returns whether the code runs in a cell of a notebook."""
    return hasattr(_shell(), "kernel")


def is_interactive() -> bool:
    """Returns whether the code runs in a notebook, in IPython or at Python's prompt."""
    return _shell() is not None or hasattr(sys, "ps1")


class NotebookLine:
    """One line below the cell with a bar; what was shown last stays."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._handle: Any = None
        self._shown = 0.0
        self._last = (0, "")

    def show(self, done: int, text: str) -> None:
        """Shows `done` of the total and a text; changes that follow at once are left out."""
        self._last = (done, text)
        if time.monotonic() - self._shown >= UPDATE_SECONDS:
            self._display()

    def close(self) -> None:
        """Shows the last change."""
        if self._last[1]:
            self._display()

    def _display(self) -> None:
        display: Any = importlib.import_module("IPython.display").display  # there is none outside of a notebook

        self._shown = time.monotonic()
        done, text = self._last
        content = {
            "text/plain": text,
            "text/html": f"<progress max='{self._total}' value='{done}'></progress> <code>{html.escape(text)}</code>",
        }
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
