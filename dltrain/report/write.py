"""Writes report.html and plots/*.svg."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dltrain.base.files import replace_file
from dltrain.report.svg import Picture

FILE = "report.html"


def write_files(directory: Path, html: str, pictures: Sequence[Picture]) -> Path:
    """Writes a page and its pictures into a directory, and returns the path of the page."""
    for picture in pictures:
        _write(directory / "plots" / f"{picture.name}.svg", picture.file())
    return _write(directory / FILE, html)


def _write(path: Path, content: str) -> Path:
    with replace_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return path
