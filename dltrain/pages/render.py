"""Renders HTML pages from Jinja2 templates, which escape all text that they get."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PACKAGE = Path(__file__).parents[1]


def source(name: str) -> Markup:
    """Returns the text of a stylesheet or script without escaping.

    `name` is a path within the package, such as `pages/templates/page.css`.
    """
    return Markup((PACKAGE / name).read_text("utf-8"))


ENVIRONMENT = Environment(
    loader=FileSystemLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters["thousands"] = "{:,}".format
ENVIRONMENT.filters["sha256"] = lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
ENVIRONMENT.globals["source"] = source


def render(template: str, **values: object) -> str:
    """Fills a template of this package, named by its path as for `source`."""
    return ENVIRONMENT.get_template(template).render(values)
