"""Starts a recorded run or sweep again, to continue or to repeat it, where it was started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dltrain.api.commands import terminating, train
from dltrain.api.jobs import load_tensorflow, report_sweep, show_beginning
from dltrain.base.own_code import library_refusals
from dltrain.base.plain_table import setting
from dltrain.record.record import Record
from dltrain.sweeps.clock import ends
from dltrain.sweeps.start import resume_words


def run_recorded(
    record: Record,
    config: DictConfig,
    directory: Path,
    *,
    resumes: bool,
    changes: Sequence[Mapping[str, Any]] = (),
    shows: bool = True,
) -> None:
    """Runs the resolved config of a recorded run in `directory`, from the folder where it was started.

    `resumes` continues from the state that is saved in the directory; otherwise the run is repeated. `changes` are the
    settings that the run takes up, as run.json lists them; `shows` is that of the journal.
    """
    directory = directory.resolve()
    with where_it_was_started(record), terminating():
        if shows and not config.quiet:
            changed = [f"{each['key']}={setting(each['after'])}" for each in changes]
            show_beginning(record.choices, [*record.facts.get("overrides", []), *changed], directory)
        early = load_tensorflow(config, reads=True, shows=shows)
        from dltrain.experiment.journal import Journal
        from dltrain.experiment.run import require_what_was_asked, run
        from dltrain.report.after_run import report_run

        with Journal(
            config, directory, recorded=record.facts, resumes=resumes, changes=changes, shows=shows, early=early
        ) as journal:
            for each in changes:
                journal.note(f"{each['key']} is {each['after']} from epoch {each['epoch']} on, {each['before']} before")
            for difference in record.version_differences() if resumes else ():
                journal.warn(f"Since the run began {difference}: its numbers may differ from those of a run in one go.")
            with library_refusals():
                results = run(config, journal, report_run, early)
        require_what_was_asked(config, results)


def repeat(record: Record, directory: Path) -> None:
    """Repeats a completed run in an existing directory, without a clock; one that a clock ended ends as it did.

    Of an ensemble the members are trained again, below `members/`, and averaged with the weights that they had.

    Raises:
        ConfigError: If the run of a member is not beside that of the ensemble.
    """
    if not record.members:
        for file in ends(record.path):
            copy = directory / file.relative_to(record.path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        run_recorded(record, record.config, directory, resumes=False)
        return
    jobs = {str(each["job"]): int(each["count"]) for each in record.members}
    originals = {job: Record(record.path.resolve().parent / job) for job in jobs}
    repeated = {job: directory.resolve() / "members" / job for job in jobs}
    for job, original in originals.items():
        repeated[job].mkdir(parents=True)
        repeat(original, repeated[job])
    from dltrain.sweeps.ensemble import Candidate, combine

    known = {key: record.facts[key] for key in ("overrides", "choices", "settings", "candidates")}
    with where_it_was_started(record), terminating():
        combine(
            directory.resolve(),
            record.config,
            [Candidate(job, Record(repeated[job]), count) for job, count in jobs.items()],
            recorded=known,
            write_report=report_sweep,
            shows=True,
        )


def resume_sweep(directory: Path, words: list[str]) -> int:
    """Runs what is left of a sweep, from where it was started, and returns the exit code.

    `words` are added to those of the first start, such as --retry-failed, search.jobs=80, or extend=true with a wider
    space.
    """
    return train(resume_words(directory, words))


@contextmanager
def where_it_was_started(record: Record) -> Iterator[None]:
    """Changes to the folder where a run was started, for relative paths in its config and its own modules."""
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
