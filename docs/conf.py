"""Builds the site: `sphinx-build -W -b html docs site`. The reference is written from the code before each build."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

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

reference.write(Path(__file__).parent / "reference")
