"""Decodes a stream of text of any encoding to chunks of UTF-8."""

from __future__ import annotations

import codecs
import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.data.source_file import BYTE_ORDER_MARKS, COMMON_ENCODINGS
from dltrain.data.source_stream import Source

UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")  # the bytes that Windows-1252 does not have


def detect_encoding(source: Source, start: bytes) -> tuple[str, tuple[str, ...]]:
    """Returns the codec of a text, and a note if it is a guess.

    A byte order mark decides; else the whole file is read, and is UTF-8, Windows-1252 or Latin-1, the first of them in
    which it can be written. `start` holds its first bytes. Standard input, which cannot be read twice, is "utf-8" here.
    """
    marked = next((codec for mark, codec in BYTE_ORDER_MARKS if start.startswith(mark)), None)
    if marked is not None or source.path is None:
        return marked or "utf-8", ()
    decoder = codecs.getincrementaldecoder("utf-8")()
    undefined = False
    found = "utf-8"
    with source.open() as (stream, _):
        for chunk in iter(lambda: stream.read(1 << 20), b""):
            undefined |= any(byte in chunk for byte in UNDEFINED)
            if found == "utf-8" and not (chunk.isascii() and not decoder.getstate()[0]):
                found = "utf-8" if _decodes(decoder, chunk) else "cp1252"
    if found == "utf-8" and not decoder.getstate()[0]:
        return found, ()
    found = "latin-1" if undefined else "cp1252"
    return found, (f"encoding: {source.origin} is not UTF-8, read as {found}; dataset.encoding sets it.",)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        decoder.decode(chunk)
        return True
    return False


def utf8_chunks(stream: Any, *, origin: str, encoding: str, size: int, guess: bool) -> Iterator[bytes]:
    """Yields the text of a stream as UTF-8 without byte order mark, so many bytes at a time.

    With `guess`, a text that is ASCII up to a byte that is no UTF-8 goes on as Windows-1252.

    Raises:
        ConfigError: If there is no such encoding.
        DataError: If the text is in another encoding, or is no text.
    """
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        hint = did_you_mean(encoding, COMMON_ENCODINGS)
        raise ConfigError(f"dataset.encoding={encoding} is not a known text encoding.{hint}") from None
    decode: Callable[[bytes, bool], str] = decoder.decode
    plain = codecs.lookup(encoding).name in {"utf-8", "ascii"}
    done, ascii_so_far, first = 0, True, True
    for chunk in itertools.chain(iter(lambda: stream.read(size), b""), [b""]):
        try:
            # What is ASCII needs no decoding, unless a character is cut before it.
            if plain and chunk and chunk.isascii() and not decoder.getstate()[0]:
                content = chunk
            else:
                content = decode(chunk, not chunk).encode()
        except UnicodeError as error:
            if guess and ascii_so_far and plain:
                rest = decoder.getstate()[0] + chunk
                decoder = codecs.getincrementaldecoder("cp1252")(errors="replace")
                decode, plain = decoder.decode, False
                content = decode(rest, not chunk).encode()
            else:
                raise _not_in(origin, encoding, error, done) from None
        done += len(chunk)
        ascii_so_far = ascii_so_far and content.isascii()
        if b"\0" in content:
            raise DataError(
                f"{origin} holds zero bytes, so it is not plain text in {encoding}; if it is UTF-16 try "
                "dataset.encoding=utf-16-le, else save it as CSV."
            )
        if first and content:
            content, first = content.removeprefix(codecs.BOM_UTF8), False
        if content:
            yield content


def _not_in(origin: str, encoding: str, error: UnicodeError, done: int) -> DataError:
    position = f" at byte {done + error.start}" if isinstance(error, UnicodeDecodeError) else ""
    other = "cp1252" if encoding.lower().replace("_", "-").startswith("utf") else "utf-8"
    return DataError(
        f"{origin} is not in {encoding}: it cannot be decoded{position}. Try dataset.encoding={other}, "
        "or dataset.encoding=null to have it detected."
    )
