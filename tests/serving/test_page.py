"""The pages of the service, without the service: names and words of the data stay text, whatever they are."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dltrain.record.signature import Column, Signature
from dltrain.serving.page import MOST_IN_A_LIST, docs_page, form_page

TEXTS = st.text(st.sampled_from("<>&\"'=/{}%#;a \n"), min_size=1) | st.text(min_size=1)


class Outline(HTMLParser):
    """Tags with the names of their attributes, and the values that come from the data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.values: list[str | None] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))
        self.values += [value for name, value in attrs if name in ("data-column", "value")]


def signature(text: str) -> Signature:
    """A signature with a column of each kind, all of them named by a text."""
    many = tuple(f"{text}{place}" for place in range(MOST_IN_A_LIST + 1))
    columns = (
        Column(f"{text}1", "numeric", f"{text}1", minimum=0.0, maximum=2.0, median=1.5),
        Column(f"{text}2", "category", f"{text}2", words=(text, "other")),
        Column(f"{text}3", "category", f"{text}3", words=many),
        Column(f"{text}4", "text", f"{text}4"),
        Column(f"{text}5", "image", f"{text}5", shape=(4, 4, 1)),
    )
    return Signature(columns=columns, target=(text,), task="multiclass", classes=(text, "other", "third"))


@settings(deadline=None)
@given(TEXTS)
@example("</textarea></title><script>alert(1)</script>")
@example('" onfocus="alert(1)')
def test_names_and_words_of_the_data_stay_text(text: str) -> None:
    form, plain = Outline(form_page(signature(text), text)), Outline(form_page(signature("word"), "word"))
    assert form.tags == plain.tags
    assert form.values == [value and value.replace("word", text) for value in plain.values]
    docs = Outline(docs_page(signature(text), text, max_rows=9, max_bytes=9))
    assert docs.tags == Outline(docs_page(signature("word"), "word", max_rows=9, max_bytes=9)).tags


def test_each_kind_of_column_has_its_field() -> None:
    page = form_page(signature("word"), "A title")
    for control in (
        '<input type="number" step="any" value="1.5" id="field-0" data-column="word1" data-kind="numeric"',
        '<select id="field-1" data-column="word2"',
        '<option value="">(missing)</option>',
        '<input type="text" value="word0" id="field-2"',
        '<textarea rows="4" id="field-3"',
        '<input type="file" accept="image/*" required id="field-4"',
    ):
        assert control in page
    assert page.count("<label for=") == page.count("<small id=") == 5


def test_docs_tell_what_a_prediction_is() -> None:
    page = " ".join(docs_page(signature("word"), "A title", max_rows=1_000, max_bytes=20_000).split())
    assert "at most 1,000 rows and 20,000 bytes a request" in page
    assert "one of word, other, third, with the probability of each." in page
