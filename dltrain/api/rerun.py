"""A recorded run or sweep started once more, where it was started: to go on with it, or to repeat it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omegaconf import DictConfig

from dltrain.api.commands import TERMINATED, train
from dltrain.record.record import Record
from dltrain.sweep.start import again


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
        from dltrain.report.after_run import report_run

        with Journal(config, directory, recorded=record.facts, resumes=resumes) as journal:
            for difference in record.version_differences() if resumes else ():
                journal.warn(f"Since the run began {difference}: its numbers may differ from those of a run in one go.")
            results = run(config, journal, report_run)
        require_what_was_asked(config, results)


def resume_sweep(directory: Path, words: list[str]) -> int:
    """Runs what is left of a sweep: the same command again, in the same directory and from the same place.

    Args:
        directory: of the sweep.
        words: added to those of the first start: --retry-failed, extend=true with a wider space, search.jobs=80.

    Returns:
        The exit code of the sweep.

    Raises:
        ConfigError: the sweep's record cannot be read, or its settings cannot work any more.
    """
    return train(again(directory, words))


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
