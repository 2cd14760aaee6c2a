"""HTML pages from Jinja2 templates, which escape every text that they are given."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

PACKAGE = Path(__file__).parents[1]


def source(name: str) -> Markup:
    """The text of a stylesheet or a script of this package, which stands in a page as it is.

    Args:
        name: of the file, seen from the package, such as `pages/templates/page.css`.
    """
    return Markup((PACKAGE / name).read_text("utf-8"))


ENVIRONMENT = Environment(
    loader=FileSystemLoader(PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
ENVIRONMENT.filters["thousands"] = "{:,}".format
ENVIRONMENT.globals["source"] = source


def render(template: str, **values: object) -> str:
    """Fills a template of this package, named like a `source`.

    Raises:
        jinja2.UndefinedError: the template names a value that was not given.
    """
    return ENVIRONMENT.get_template(template).render(values)
