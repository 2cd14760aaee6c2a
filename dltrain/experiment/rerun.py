"""A recorded run started once more, from its own directory: to go on with it, or to repeat it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omegaconf import DictConfig

from dltrain.record.record import Record

TERMINATED = 143


def run_recorded(record: Record, config: DictConfig, directory: Path, *, resumes: bool) -> None:
    """Runs an experiment with the overrides of a recorded one, where that one was started.

    Args:
        record: of the run that is resumed or repeated.
        config: resolved.
        directory: where the files go.
        resumes: whether to go on from the state in the directory.

    Raises:
        DltrainError: as for every run.
    """
    directory = directory.resolve()
    with _where_it_was_started(record), _terminating():
        from dltrain.internals import tensorflow_quietly

        tensorflow_quietly.load(config)
        from dltrain.experiment.journal import Journal
        from dltrain.experiment.run import require_what_was_asked, run

        with Journal(config, directory, recorded=record.facts, resumes=resumes) as journal:
            for difference in record.version_differences() if resumes else ():
                journal.warn(f"Since the run began {difference}: its numbers may differ from those of a run in one go.")
            results = run(config, journal)
        require_what_was_asked(config, results)


@contextmanager
def _where_it_was_started(record: Record) -> Iterator[None]:
    """Relative paths in the config count from there, and modules of one's own are found there."""
    before, path = Path.cwd(), list(sys.path)
    folder = Path(record.facts.get("working_directory") or before)
    if folder.is_dir():
        os.chdir(folder)
        sys.path.append(str(folder))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path[:] = path


@contextmanager
def _terminating() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, with an exit code of its own."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
