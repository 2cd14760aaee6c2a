"""Builds the site: `sphinx-build -W -b html docs site`.

The reference is written from the code before each build, and a notebook from each page of the course.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import notebooks
import reference

project = "dltrain"
author = "the developers of dltrain"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "dltrain"
html_static_path: list[str] = []
exclude_patterns = ["*.py"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"

DOCS = Path(__file__).parent
reference.write(DOCS / "reference")
notebooks.write(DOCS / "course", DOCS / "reference" / "notebooks")


def link_notebook(app: Any, page: str, source: list[str]) -> None:
    """Puts a link to its notebook under the title of a page of the course."""
    file = f"reference/notebooks/{Path(page).name}.ipynb"
    if page.startswith("course/") and (DOCS / file).exists():
        title, _, text = source[0].partition("\n")
        source[0] = f"{title}\n\n[This page as a notebook](../{file})\n{text}"


def setup(app: Any) -> None:
    """Is called by Sphinx."""
    app.connect("source-read", link_notebook)
