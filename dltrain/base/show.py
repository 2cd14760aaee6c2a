"""Prints lines, JSON and CSV, in which every control character stands as its escape."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from dltrain.base.printable import printable, printable_json


def show(*words: object, sep: str = " ", end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Prints as `print` does; nothing else in the package may print."""
    print(*(printable(str(word)) for word in words), sep=sep, end=end, file=file, flush=flush)


def show_json(content: Any) -> None:
    """Prints a value as JSON that is read back as it was."""
    print(printable_json(json.dumps(content, indent=2, ensure_ascii=False, default=str)))


class CsvOutput:
    """Standard output as a file for `csv.writer`."""

    def write(self, text: str) -> int:
        """Writes a line of the table, whose end stays as it is."""
        return sys.stdout.write("\r\n".join(map(printable, text.split("\r\n"))))
