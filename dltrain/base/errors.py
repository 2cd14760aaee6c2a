"""Defines the errors that a user can meet.

    DltrainError
    ├── ConfigError   a key, an option or a combination that cannot work (exit code 2)
    ├── DataError     a file or a table that cannot be used              (exit code 2)
    └── RunError      the training itself failed                        (exit code 1)
        └── PrunedError   a search gave the training up: other jobs were better at the same epoch

Each message is one or two sentences: what is wrong and where, what was expected, what was got, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class DltrainError(Exception):
    """A fault that a person can mend, shown without a traceback; `faults` holds a sentence for each."""

    exit_code = 1

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))


class ConfigError(DltrainError):
    """One or more faults in the configuration, found before any training."""

    exit_code = 2


class DataError(DltrainError):
    """A file or a table that cannot be read or cannot be trained on."""

    exit_code = 2


class RunError(DltrainError):
    """The training started and could not be finished."""


class PrunedError(RunError):
    """A search ended the training early, since other jobs were better at the same epoch."""


def closest(word: str, choices: Iterable[str]) -> str | None:
    """Returns the choice that is most like a word, in capitals or not; None if none is like it."""
    names = list(choices)
    if near := difflib.get_close_matches(word, names, n=1, cutoff=0.6):
        return near[0]
    small = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(word.casefold(), list(small), n=1, cutoff=0.6)
    return small[near[0]] if near else None


def did_you_mean(word: str, choices: Iterable[object]) -> str:
    """Returns the end of an error sentence that names the nearest valid choice, or up to twenty of them.

    It is `" Did you mean 'adam'?"`, or `" Choose from a, b, c."`, or empty if there are no choices.
    """
    names = sorted({str(choice) for choice in choices})
    if near := closest(str(word), names):
        return f" Did you mean '{near}'?"
    if not names:
        return ""
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return f" Choose from {shown}."
