"""Writes a notebook of each page of the course, from the page itself: its commands are cells, its pictures attached."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import jupytext
import nbformat

PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}
# Without it the language of most blocks would be that of the notebook: bash.
HEADER = """\
---
jupyter:
  kernelspec: {name: python3, display_name: Python 3, language: python}
---
"""


def write(course: Path, folder: Path) -> None:
    """Writes the notebooks of the pages in a folder into another one, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in sorted(course.glob("*_*.md")):
        notebook = of_page(page)
        # The names of cells are of chance otherwise, and would make each build a new one.
        for place, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{place}"
        nbformat.write(notebook, folder / f"{page.stem}.ipynb")


def of_page(page: Path) -> nbformat.NotebookNode:
    """Returns the notebook of a page."""
    notebook = jupytext.reads(HEADER + page.read_text("utf-8"), fmt="md")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            pictures = {Path(link).name: page.parent / link for _, link in PICTURE.findall(cell.source)}
            cell.source = PICTURE.sub(lambda found: f"![{found[1]}](attachment:{Path(found[2]).name})", cell.source)
            cell.attachments = {
                name: {KINDS[path.suffix]: base64.b64encode(path.read_bytes()).decode()}
                for name, path in pictures.items()
            }
    return notebook
