from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError

from dltrain.pages.render import ENVIRONMENT, PACKAGE, render

TEMPLATES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("*/templates/*.html"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_turns_escaping_off(name: str) -> None:
    assert ENVIRONMENT.get_template(name).environment.autoescape is True
    text = (PACKAGE / name).read_text("utf-8")
    assert "autoescape" not in text
    assert not re.search(r"\|\s*safe\b", text)


def test_no_module_escapes_by_hand() -> None:
    by_hand = [path.name for path in PACKAGE.rglob("*.py") if "html import escape" in path.read_text("utf-8")]
    assert by_hand == []


def test_a_value_that_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        render("pages/templates/document.html")
