"""Counts what is unusual about new rows, and tells it in sentences: the same for a file, a data frame and a request."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping

from dltrain.base.notes import counted, some
from dltrain.record.signature import Column, Signature

SHOWN = 3


class UnusualRows(UserWarning):
    """Rows with values that the train rows did not have, or with columns that the model does not take."""


# Each call tells of its own rows, even if the sentence is that of an earlier call; a filter of the user comes first.
warnings.simplefilter("always", UnusualRows, append=True)


class Unusual:
    """Counts the values that the train rows did not have, and holds the columns that the model does not take."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.ignored: tuple[str, ...] = ()
        self.other_names: dict[str, str] = {}  # the column that was taken for each one of another name
        self.left_out: dict[str, None] = {}  # sentences of the reader, each once
        self.unreadable: list[str] = []  # the rows whose image cannot be read, with the reason
        self._unknown: dict[str, Counter[str]] = {}
        self._out_of_range: Counter[str] = Counter()

    def count_words(self, column: Column, unknown: Mapping[str, int]) -> None:
        """Counts words of a category that the model does not know."""
        if unknown:
            self._unknown.setdefault(column.name, Counter()).update(unknown)

    def count_beyond(self, column: Column, values: int) -> None:
        """Counts so many numbers beyond those of the train rows."""
        self._out_of_range[column.name] += values

    def notes(self) -> list[str]:
        """Returns sentences on what was left out, ignored, unknown or outside the range of the train rows."""
        notes = [*self.left_out]
        if self.unreadable:
            rows = counted(len(self.unreadable), "row")
            notes.append(f"no prediction of {rows}, since the image cannot be read: {some(self.unreadable)}.")
        if self.other_names:
            pairs = ", ".join(f"'{found}' for '{name}'" for name, found in self.other_names.items())
            notes.append(f"taken, since only the capitals differ: {pairs}.")
        if self.ignored:
            lower = {name.lower() for name in self.signature.target}
            targets = ", ".join(name for name in self.ignored if name.lower() in lower)
            compared = f"; {targets} is the target, which dltrain evaluate compares with" if targets else ""
            those = "it" if len(self.ignored) == 1 else "them"
            notes.append(f"ignored: {', '.join(self.ignored)} (the model does not take {those}){compared}.")
        for name, words in self._unknown.items():
            shown = ", ".join(f"'{word}'" for word, _ in words.most_common(SHOWN))
            notes.append(
                f"{name}: {_counted(words.total())} the model does not know ({shown}"
                f"{', …' if len(words) > SHOWN else ''}); the train rows had them never or seldom."
            )
        for column in self.signature.columns:
            if self._out_of_range[column.name]:
                out_of_range = self._out_of_range[column.name]
                lie = "lies" if out_of_range == 1 else "lie"
                notes.append(
                    f"{column.name}: {_counted(out_of_range)} {lie} beyond those of the train rows "
                    f"({column.minimum:g} to {column.maximum:g})."
                )
        return notes

    def warn(self) -> None:
        """Warns of all of it at once, at the line that called the caller."""
        if notes := self.notes():
            warnings.warn("\n".join(notes), UnusualRows, stacklevel=3)


def beyond(column: Column, values: Iterable[float | None]) -> int:
    """Counts the numbers that lie beyond those of the train rows; a missing one does not."""
    if column.minimum is None or column.maximum is None:
        return 0
    return sum(value is not None and (value < column.minimum or value > column.maximum) for value in values)


def _counted(rows: int) -> str:
    return "1 value" if rows == 1 else f"{rows:,} values"
