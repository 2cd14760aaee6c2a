"""Finds where the records of a text with separators end, and on which lines they start."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

QUOTE, NEWLINE, RETURN = b'"\n\r'
BLANK = b" \r\n"


def last_end(content: bytes, mark: bytes, *, final: bool) -> int | None:
    """Returns the number of bytes up to the end of the last whole record; `final` if nothing follows.

    None stands for a text that only the csv module reads as people mean it: a quote that stands neither at the start
    nor at the end of a field or is never closed, or a line that ends with a carriage return alone.
    """
    end = len(content) if final else content.rfind(b"\n") + 1
    if b"\r" in content and content.count(b"\r", 0, end) != content.count(b"\r\n", 0, end):
        return None
    if b'"' not in content:
        return end
    code = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(code == QUOTE)
    if final and len(quotes) % 2:
        return None
    opening, closing = quotes[0::2], quotes[1::2]
    around = np.frombuffer(b"\n%b\n" % content, np.uint8)
    ends = np.zeros(256, bool)
    # A quote beside a quote stands for one that is part of the field.
    ends[[NEWLINE, RETURN, QUOTE, *mark]] = True
    if not ends[around[opening]].all() or not ends[around[closing + 2]].all():
        return None
    return end if final else _last_outside(content, quotes)


def _last_outside(content: bytes, quotes: npt.NDArray[np.intp]) -> int:
    """Returns the number of bytes up to the last line end that no quotes are around."""
    end = content.rfind(b"\n") + 1
    while end and (before := int(np.searchsorted(quotes, end))) % 2:
        end = content.rfind(b"\n", 0, int(quotes[before - 1])) + 1
    return end


def _outside(code: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Returns the positions of the line ends that no quotes are around."""
    newlines = np.flatnonzero(code == NEWLINE)
    outside: npt.NDArray[np.intp] = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return outside


def record_lines(records: bytes, rows: int) -> npt.NDArray[np.int64]:
    """Returns the number of lines before each of so many records that are not empty, shape (rows,)."""
    newlines = records.count(b"\n")
    if rows == newlines + (not records.endswith(b"\n")):
        return np.arange(rows, dtype=np.int64)
    code = np.frombuffer(records, np.uint8)
    ends = _outside(code, np.flatnonzero(code == QUOTE))
    starts = np.concatenate([[0], ends + 1])
    ends = np.append(ends, len(records))
    before = np.searchsorted(np.flatnonzero(code == NEWLINE), starts)
    # A record is empty if it is blank throughout, so its first byte tells nearly always that it is not.
    maybe = np.flatnonzero(np.isin(code[np.minimum(starts, len(code) - 1)], [*BLANK]))
    empty = [place for place in maybe.tolist() if not records[starts[place] : ends[place]].strip(BLANK)]
    return np.delete(before, empty).astype(np.int64)
