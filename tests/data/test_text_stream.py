from __future__ import annotations

import codecs
import io
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.source_stream import Source
from dltrain.data.text_stream import detect_encoding, utf8_chunks


def decoded(content: bytes, encoding: str = "utf-8", *, size: int = 2, guess: bool = False) -> str:
    return b"".join(utf8_chunks(io.BytesIO(content), origin="t", encoding=encoding, size=size, guess=guess)).decode()


@pytest.mark.parametrize(
    ("content", "codec"),
    [
        (b"a" * (3 << 20) + "é".encode(), "utf-8"),
        (b"a" * (3 << 20) + b"\xe9", "cp1252"),
        (b"a" * ((1 << 20) - 1) + "é".encode(), "utf-8"),  # cut within the character
        (b"a\xe9" + b"a" * (3 << 20) + b"\x81", "latin-1"),
        (codecs.BOM_UTF8 + b"a", "utf-8-sig"),
        ("a".encode("utf-16"), "utf-16"),
    ],
)
def test_the_whole_file_decides(tmp_path: Path, content: bytes, codec: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    found, notes = detect_encoding(Source(tmp_path / "t.csv"), content[:4])
    assert found == codec
    assert bool(notes) == (codec in {"cp1252", "latin-1"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32", "cp1252"])
def test_chunks_hold_whole_characters(encoding: str) -> None:
    assert decoded("a,é\nö\n".encode(encoding), encoding) == "a,é\nö\n"


def test_a_mark_is_no_part_of_the_text() -> None:
    assert decoded(codecs.BOM_UTF8 + b"a") == "a"


def test_a_stream_that_turns_out_to_be_no_utf_8_goes_on_as_windows_1252() -> None:
    assert decoded(b"abc\xe9\xe9d", guess=True) == "abcééd"
    with pytest.raises(DataError, match="t is not in utf-8"):
        decoded("é".encode() + b"abc\xe9", guess=True)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"abcd\xe9!", "utf-8", "not in utf-8: it cannot be decoded at byte 4. Try dataset.encoding=cp1252"),
        (b"abc\x81", "cp1252", "at byte 3. Try dataset.encoding=utf-8"),
        (b"a\0", "utf-8", "holds zero bytes"),
    ],
)
def test_faults(content: bytes, encoding: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        decoded(content, encoding)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(ConfigError, match="not a known text encoding"):
        decoded(b"a", "utf-80")
