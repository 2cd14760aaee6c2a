"""How `dltrain VERB --help` sets its text: paragraphs wrapped to the window, examples and lists as they are."""

from __future__ import annotations

import argparse
import textwrap


class Paragraphs(argparse.HelpFormatter):
    """Wraps each paragraph by itself; one with an indented line, such as examples, keeps its lines."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.strip("\n").split("\n\n")
        return "\n\n".join(part if "\n " in f"\n{part}" else textwrap.fill(part, width) for part in parts)
