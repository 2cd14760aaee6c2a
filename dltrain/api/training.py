"""Trains runs and sweeps from Python, as the command does, and returns them as objects."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dltrain.api.choose_model import Settled, settle
from dltrain.api.commands import INTERRUPTED, Outcome, composer_of, flags_of, start
from dltrain.api.finished_sweep import Sweep
from dltrain.api.frames import KeptFrame, keep
from dltrain.api.resume import write_missing_reports
from dltrain.api.run import Run
from dltrain.api.words import value_word, words_of
from dltrain.base.errors import ConfigError, DltrainError
from dltrain.base.interactive import is_interactive
from dltrain.config.compose import Composer
from dltrain.internals.process_settings import as_in_a_new_process

OUTPUTS = Path("outputs")
Result = TypeVar("Result", Run, Sweep)


def train(
    *words: str,
    data: Any = None,
    target: str | Sequence[str] | None = None,
    directory: str | Path | None = None,
    config_dir: str | Path | None = None,
    **settings: Any,
) -> Run:
    """Trains one model, as the command `dltrain` does with the same words, and returns its run.

    A double underscore in the name of a setting stands for the dot of a key. `data` is a data frame or the path of a
    table, whose column `target` is predicted; a frame is kept as Parquet below outputs/data, or in the run's
    `directory` if that is given. `config_dir` is a folder of options that is searched as well.

    Ctrl-C lets the step finish and saves the state. In a notebook and at Python's prompt the interrupted run is
    returned, elsewhere KeyboardInterrupt is raised.

    >>> run = dltrain.train("dataset=wine", "model=linear", trainer__epochs=2)
    >>> list(run.metrics.columns[:3])
    ['train', 'validation', 'test']

    Raises:
        DltrainError: If the config, the data or the training is at fault; `faults` lists what is wrong.
    """
    given, frame = _given(words, settings, data, target, directory, sweep=False)
    if directory is not None:
        given.append(f"hydra.run.dir={value_word(directory, 'directory')}")
    with _as_one_types_it():
        composer = _composer(config_dir)
        settled = _settled(composer, given, frame)
        given = settled.overrides
        config = composer.compose(given)
        if config.search is not None:
            raise ConfigError("search: a search has many jobs. Call dltrain.sweep.")
        outcome = start(composer, given, config, typed=None, settled=settled, shows=False, prepare=_writing(frame))
    _told_of(frame, outcome.error)
    return _finished(outcome, Run, "run.json")


def sweep(
    *words: str,
    data: Any = None,
    target: str | Sequence[str] | None = None,
    directory: str | Path | None = None,
    config_dir: str | Path | None = None,
    **settings: Any,
) -> Sweep:
    """Trains every combination of several values, or the jobs of a search, as `dltrain -m` does.

    A list among the settings holds the values that are tried, as does a word with commas; everything else is as in
    `train`. A job that fails is listed with its reason, and the others go on.

    >>> found = dltrain.sweep("dataset=wine", "model=linear", trainer__epochs=1, optimizer=["adam", "sgd"])
    >>> len(found.results)
    2

    Raises:
        DltrainError: If the settings are at fault.
    """
    given, frame = _given(words, settings, data, target, directory, sweep=True)
    if directory is not None:
        given.append(f"hydra.sweep.dir={value_word(directory, 'directory')}")
    with _as_one_types_it():
        composer = _composer(config_dir)
        given = _settled(composer, given, frame).overrides
        config = composer.compose_sweep(given)
        flags = [] if config_dir is None else [f"--config-dir={config_dir}"]
        typed = ["-m", *flags, *given]
        outcome = start(composer, given, config, typed=typed, shows=False, prepare=_writing(frame))
    return _finished(outcome, Sweep, "sweep.jsonl")


def resume_sweep(directory: Path, *words: str, **settings: Any) -> Sweep:
    """Runs what is left of a sweep from where it was started; `words` and `settings` join those of its first start."""
    from dltrain.sweeps.start import resume_words

    before = Path.cwd()
    try:
        typed = resume_words(directory, words_of(words, settings, sweep=True))
        flags = flags_of(typed)
        with _as_one_types_it():
            composer = composer_of(flags)
            config = composer.compose_sweep(flags.overrides)
            outcome = start(composer, flags.overrides, config, typed=typed, shows=False)
    finally:
        os.chdir(before)
    if outcome.code in (0, 1):
        write_missing_reports(outcome.directory.resolve(), lambda text: None)
    return _finished(outcome, Sweep, "sweep.jsonl")


def _given(
    words: Sequence[str],
    settings: dict[str, Any],
    data: Any,
    target: str | Sequence[str] | None,
    directory: str | Path | None,
    *,
    sweep: bool,
) -> tuple[list[str], KeptFrame | None]:
    """Returns the overrides of a call, and the data frame that is to be written for it."""
    given = words_of(words, settings, sweep=sweep)
    if data is None:
        if target is not None:
            raise ConfigError("target has no effect without data: name that of a dataset with dataset.target=…")
        return given, None
    if any(word.startswith("dataset=") for word in given):
        raise ConfigError("data and dataset=… are both given, expected one of them.")
    if isinstance(data, (str, Path)):
        wanted: Any = target if target is None or isinstance(target, str) else list(target)
        of_file = ["dataset=csv", f"dataset.path={value_word(data, 'data')}"]
        return [*of_file, *([] if wanted is None else [f"dataset.target={value_word(wanted, 'target')}"]), *given], None
    frame = keep(data, target, OUTPUTS if directory is None else Path(directory))
    return [*frame.words, *given], frame


def _writing(frame: KeptFrame | None) -> Callable[[], None]:
    return (lambda: None) if frame is None else frame.write


def _settled(composer: Composer, given: Sequence[str], frame: KeptFrame | None) -> Settled:
    """Chooses what stands for model=auto; the file of a frame is written once the run has its directory."""
    if frame is None or frame.path.exists():
        return settle(composer, given)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / frame.path.name
        file.write_bytes(frame.content)
        try:
            return settle(composer, given, file=file)
        except DltrainError as error:
            error.faults = [fault.replace(str(file), file.name) for fault in error.faults]
            _told_of(frame, error)
            raise


def _composer(config_dir: str | Path | None) -> Composer:
    if str(Path.cwd()) not in sys.path:  # a config may name classes in the working directory, as for the command
        sys.path.append(str(Path.cwd()))
    return Composer(extra_directory=None if config_dir is None else Path(config_dir))


@contextlib.contextmanager
def _as_one_types_it() -> Iterator[None]:
    """Lets a run have the settings of a new process, and names in its errors what Python has in place of flags."""
    try:
        with as_in_a_new_process():
            yield
    except ConfigError as error:
        faults = [fault.replace("Add -m", "Call dltrain.sweep") for fault in error.faults]
        raise ConfigError(faults) from error


def _told_of(frame: KeptFrame | None, error: Exception | None) -> None:
    """Lets an error call the file of a data frame by what the caller knows it as."""
    if frame is not None and isinstance(error, DltrainError):
        error.faults = [fault.replace(frame.path.name, "the data frame") for fault in error.faults]
        error.args = ("\n".join(error.faults),)


def _finished(outcome: Outcome, result: type[Result], needs: str) -> Result:
    """Returns what stands in the directory, or raises what ended it."""
    if outcome.error is not None:
        raise outcome.error
    if outcome.code == INTERRUPTED and not (is_interactive() and (outcome.directory / needs).exists()):
        raise KeyboardInterrupt
    return result(outcome.directory)
