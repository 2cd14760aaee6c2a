import codecs

import pytest

from dltrain.base.errors import DataError
from dltrain.data.source_file import decode


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marked_and_plain_encodings(encoding: str) -> None:
    assert decode("naïve,y\n".encode(encoding), origin="t", encoding=None) == ("naïve,y\n", ())


def test_a_mark_is_no_part_of_the_text_when_the_encoding_is_given() -> None:
    assert decode(codecs.BOM_UTF8 + b"a", origin="t", encoding="utf-8")[0] == "a"


@pytest.mark.parametrize(("content", "codec"), [(b"caf\xe9\x80", "cp1252"), (b"caf\xe9\x81", "latin-1")])
def test_a_guess_is_noted(content: bytes, codec: str) -> None:
    text, notes = decode(content, origin="t", encoding=None)
    assert text == content.decode(codec)
    assert codec in notes[0]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"caf\xe9", "utf-8", r"not in utf-8: it cannot be decoded at byte 3. Try dataset.encoding=cp1252"),
        (b"\x81", "cp1252", "at byte 0. Try dataset.encoding=utf-8"),
        ("a,b".encode("utf-16-le"), None, "dataset.encoding=utf-16-le"),
        (b" \n\n", None, "is empty"),
    ],
)
def test_faults(content: bytes, encoding: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode(content, origin="t", encoding=encoding)
