"""Finds words by a pattern in time that grows with the length of the cells alone, whatever the pattern."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError


def match(pattern: str, cells: Sequence[str | None]) -> list[str | None]:
    """Returns what the one group of a pattern in RE2's syntax matches in each cell, None where it does not match.

    Raises:
        DataError: If the pattern is not in RE2's syntax, which has neither backreferences nor lookahead.
    """
    words = pa.array([cell or None for cell in cells], pa.string())
    whole = f"(?s:^.*?)(?:{pattern})(?s:.*$)"
    try:
        found = pc.replace_substring_regex(words, whole, r"\1", max_replacements=1)
        matches = pc.match_substring_regex(words, pattern)
    except pa.ArrowInvalid as error:
        raise DataError(f"The pattern '{pattern}' of a made column cannot be used: {error}.") from None
    return pc.if_else(matches, found, None).to_pylist()  # type: ignore[no-any-return]
