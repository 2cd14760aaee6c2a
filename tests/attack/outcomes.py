"""Runs one command after another in this process and counts what must never come of any."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from dltrain.cli.main import main

LONGEST = 60  # seconds for one command, after which it counts as hung
NEVER = ("traceback", "hung", "silent")
Item = TypeVar("Item")

# Each attack runs as a whole by `pytest -m attack`, and a tenth of it with the slow tests.
SHARES = pytest.mark.parametrize(
    "share",
    [pytest.param(0.1, marks=pytest.mark.slow, id="tenth"), pytest.param(1, marks=pytest.mark.attack, id="all")],
)


def part_of(items: Sequence[Item], share: float) -> list[Item]:
    """Returns the same items in every run."""
    return random.Random(7).sample(items, max(1, round(share * len(items))))


class HungError(BaseException):
    """Raised where a command still runs after its time; no handler of errors takes it for one of its own."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raises a HungError if the block takes longer."""

    def give_up(*_: Any) -> None:
        raise HungError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Outcomes:
    """Counts how commands ended, and keeps those that ended as none may.

    `traceback`: an exception reached the person. `hung`: no end within `LONGEST` seconds. `silent`: an exit code other
    than 0 without a sentence, or success although a word changed nothing.
    """

    capsys: pytest.CaptureFixture[str]
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def of(self, words: Sequence[str], run: Callable[[Sequence[str]], int] = main) -> str:
        """Runs a command and returns how it ended: done, refused, or one of `NEVER`."""
        self.capsys.readouterr()
        began, code, raised = time.monotonic(), None, ""
        try:
            with within(LONGEST):
                code = run(words)
        except HungError:
            raised = "hung"
        except SystemExit as end:  # argparse and Hydra end the process themselves
            code = end.code if isinstance(end.code, int) else 1
        except BaseException as error:
            raised = f"traceback {type(error).__name__}: {error}"
        if time.monotonic() - began > LONGEST:
            raised = "hung"
        out, error = self.capsys.readouterr()
        kind = _kind(code, raised, out, error)
        if words[0] == "reproduce" and code == 1 and kind == "silent" and "different: see" in out:
            kind = "done"  # it says on standard output what differs
        self.add(kind, f"{' '.join(map(str, words))}\n    exit code {code} {raised} {error[-1500:]}")
        return kind

    def add(self, kind: str, what: str) -> None:
        """Counts one outcome."""
        self.counts[kind] += 1
        if kind in NEVER:
            self.faults.append(f"{kind}: {what}")

    def require_none(self, least: int) -> None:
        """Prints the counts, and fails if any outcome is one of `NEVER`, or if there are fewer than `least`."""
        counts = {name: self.counts[name] for name in ("done", "refused", *NEVER)}
        told = f"{sum(self.counts.values())}: {', '.join(f'{name} {count}' for name, count in counts.items())}"
        with self.capsys.disabled():
            print(f"\n{told}")
        assert not self.faults, "\n".join([told, *self.faults])
        assert sum(self.counts.values()) >= least


def _kind(code: int | None, raised: str, out: str, error: str) -> str:
    if raised:
        return raised.partition(" ")[0]
    if "Traceback (most recent call last)" in out + error:
        return "traceback"
    if code == 0:
        return "done"
    sentences = [line.partition("error: ")[2].strip() for line in error.splitlines() if "error: " in line]
    return "refused" if sentences and all(sentences) else "silent"
