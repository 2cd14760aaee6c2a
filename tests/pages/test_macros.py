"""Whatever a text is, it stays a text: the tags and attributes of a page are those that a harmless word gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from dltrain.pages.render import ENVIRONMENT, render

WORD = "harmless"
MACROS: Any = ENVIRONMENT.get_template("pages/templates/macros.html").module
TEXTS = st.text(st.sampled_from("<>&\"'=/{}%#;-!a \n")) | st.text()


@dataclass
class Picture:
    title: str
    message: str

    def inline(self) -> Markup:
        return Markup("<svg></svg>")


def section(text: str) -> str:
    contents = [("first", text, Markup("<p></p>")), ("left-out", text, Markup(" "))]
    return render("pages/templates/sections.html", title=text, subtitle=text, sections=contents)


MADE: dict[str, Callable[[str], str]] = {
    "command": lambda text: MACROS.command(text),
    "table": lambda text: MACROS.table(text, [text, text], [[text, text]]),
    "row": lambda text: MACROS.row([text, text, text], words=2),
    "folded": lambda text: MACROS.folded(text, caller=lambda: Markup("<p></p>")),
    "pictures": lambda text: MACROS.pictures([Picture(text, text)]),
    "sections": section,
}


class Outline(HTMLParser):
    """Tags, attributes and texts in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.events = [""]
        self.feed(str(page))  # what is cut from Markup would be escaped again
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.events += [f"<{tag}", *(f"{name}={value}" for name, value in attrs), ""]

    def handle_endtag(self, tag: str) -> None:
        self.events += [f"</{tag}", ""]

    def handle_data(self, data: str) -> None:
        self.events[-1] += data


@pytest.mark.parametrize("name", MADE)
@settings(deadline=None)
@given(text=TEXTS)
@example(text="</title></style><script>alert(1)</script>")
@example(text='" onload="alert(1)')
@example(text="{{ 7 * 7 }}{% raw %}")
def test_a_text_cannot_become_html(name: str, text: str) -> None:
    expected = [event.replace(WORD, text) for event in Outline(MADE[name](WORD)).events]
    assert WORD in Outline(MADE[name](WORD)).events
    assert Outline(MADE[name](text)).events == expected


def test_a_table_aligns_its_numbers_right() -> None:
    page = MACROS.table("Scores", ["name", "kind", "value"], [["a", "b", 1]], words=2)
    assert '<th scope="col">kind</th><th scope="col" class="number">value</th>' in page
    assert '<tr><th scope="row">a</th><td>b</td><td class="number">1</td></tr>' in page


def test_what_is_not_long_is_not_folded() -> None:
    assert MACROS.folded("All", long=False, caller=lambda: Markup("<p></p>")).strip() == "<p></p>"


def test_a_section_without_content_is_left_out() -> None:
    page = section(WORD)
    assert 'href="#first"' in page
    assert "left-out" not in page
