"""What benchmarks share: a journal that writes nothing, and trainings that begin as in a process of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from dltrain.base.notes import SilentNotes
from dltrain.engine import shared_graphs


class Silent(SilentNotes):
    """Stands in for the journal of a run."""

    def split(self, *_: object) -> None:
        """Writes nothing down."""


def as_a_later_process() -> None:
    """Forgets the graphs of this process; those in the cache directory stay, as they do from run to run."""
    shared_graphs._kept.clear()


@contextmanager
def as_the_first_process() -> Iterator[None]:
    """Every graph is traced within the block, as where no process has trained this network before."""
    shared_graphs._kept.clear()
    with tempfile.TemporaryDirectory() as empty, mock.patch.dict(os.environ, DLTRAIN_DATA_DIR=empty):
        yield
