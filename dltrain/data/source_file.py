"""Finds a user's file, reads its bytes and decodes its text."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import zlib
from pathlib import Path

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.base.regular_file import find, read_regular
from dltrain.data.storage import data_directories

# UTF-32's mark comes first, because it begins with UTF-16's.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
COMMON_ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac-roman", "cp1251")
GZIP_MAGIC = b"\x1f\x8b"
# A compressed file of zeros grows a thousandfold and would fill the memory.
LEAST_UNPACKED = 2**30
MOST_RATIO = 100


def find_file(path: str | Path) -> Path:
    """Returns the absolute path of an existing file.

    `~` is expanded; a relative path starts at the current directory, else at the data directory.

    Raises:
        DataError: If there is no such file, or it is a folder, a device or a pipe.
    """
    found = find(path, key="dataset.path", expected="file", folder=True, also_in=data_directories())
    if found.is_dir():
        raise DataError(
            f"dataset.path: {found} is a folder; expected a file. A folder for each class is read by dataset=images or "
            "dataset=texts."
        )
    return found


def stem(path: Path) -> str:
    """Returns the file's name without its suffixes: `emotions` for `emotions.arff.gz`."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def read_bytes(path: Path) -> bytes:
    """Reads a file and decompresses it if it is gzip.

    Raises:
        DataError: If the file is empty, unreadable or broken gzip.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    if content.startswith(GZIP_MAGIC) or (content and path.suffix.lower() == ".gz"):
        try:
            content = _unpacked(content, path)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path} is not a complete gzip file ({error}); is the download whole?") from None
    if not content:
        raise DataError(f"{path} is empty.")
    return content


def _unpacked(content: bytes, path: Path) -> bytes:
    """Decompresses a gzip file, but not to more than a hundred times its size and more than a gibibyte."""
    most = max(LEAST_UNPACKED, MOST_RATIO * len(content))
    with gzip.open(io.BytesIO(content)) as file:
        unpacked = file.read(most + 1)
    if len(unpacked) > most:
        raise DataError(
            f"{path} unpacks to more than {most:,} bytes, a hundred times its size: no table is like that. "
            "Unpack it yourself if you trust it."
        )
    return unpacked


def decode(content: bytes, *, origin: str, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Decodes a file and returns its text, and a note if the encoding is a guess.

    Without an encoding, the byte order mark, UTF-8, Windows-1252 and Latin-1 are tried in this order.

    Raises:
        ConfigError: If there is no such encoding.
        DataError: If the bytes are not in the given encoding or are no text.
    """
    notes: tuple[str, ...] = ()
    codec = encoding
    if codec is None:
        codec = next((marked for mark, marked in BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if codec is not None:
        text = _decode_as(content, origin, codec)
    else:
        text, guessed = _guess(content)
        if guessed != "utf-8":
            notes = (f"encoding: {origin} is not UTF-8, read as {guessed}; dataset.encoding sets it.",)
    if "\0" in text:
        raise DataError(
            f"{origin} holds zero bytes, so it is not plain text in "
            f"{encoding or 'UTF-8'}; if it is UTF-16 try dataset.encoding=utf-16-le, else save it as CSV."
        )
    if not text.strip():
        raise DataError(f"{origin} is empty.")
    return text, notes


def _guess(content: bytes) -> tuple[str, str]:
    for codec in ("utf-8", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode(codec), codec
    return content.decode("latin-1"), "latin-1"


def _decode_as(content: bytes, origin: str, encoding: str) -> str:
    try:
        # With UTF-8 given by name, a byte order mark would become part of the first column's name.
        return content.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        hint = did_you_mean(encoding, COMMON_ENCODINGS)
        raise ConfigError(f"dataset.encoding={encoding} is not a known text encoding.{hint}") from None
    except UnicodeError as error:
        position = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        other = "cp1252" if encoding.lower().replace("_", "-").startswith("utf") else "utf-8"
        raise DataError(
            f"{origin} is not in {encoding}: it cannot be decoded{position}. Try dataset.encoding={other}, "
            "or dataset.encoding=null to have it detected."
        ) from None
