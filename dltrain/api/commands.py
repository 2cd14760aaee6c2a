"""Trains from a command line: checks the config, creates a directory and has Hydra run the jobs."""

from __future__ import annotations

import argparse
import functools
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from dltrain.api import jobs, launch
from dltrain.api.choose_model import Settled, settle
from dltrain.base.console import telling
from dltrain.base.errors import ConfigError
from dltrain.base.import_beside import needed_at_the_end
from dltrain.base.interactive import is_notebook
from dltrain.base.lock import lock, unlock
from dltrain.base.plain_arguments import plain
from dltrain.base.plain_table import say
from dltrain.base.show import show as show_line
from dltrain.base.tell import exit_code, tell_any
from dltrain.config.compose import Composer
from dltrain.config.hints import show
from dltrain.config.hydra_node import resolving
from dltrain.config.moved_paths import typed_today
from dltrain.internals import hydra_command
from dltrain.record.run_directory import Claim, claim
from dltrain.sweeps.preloading import preloaded

USAGE = 2
INTERRUPTED = 130
OWN_DATA = ("csv", "images", "texts")  # names of datasets that stand for that of a file or folder
TERMINATED = 143

# Prefixes of keys without effect on a single run.
SWEEP_PREFIXES = (
    *("keep.", "extend.", "retry_failed."),
    *("hydra.sweep.", "hydra.sweeper.", "hydra.launcher.", "hydra/sweeper.", "hydra/launcher."),
)


@contextmanager
def terminating() -> Iterator[None]:
    """Makes SIGTERM end the process as Ctrl-C does, with its own exit code; outside the main thread it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def flags_of(words: Sequence[str]) -> argparse.Namespace:
    """Parses Hydra's own flags of a command line; `overrides` of the result holds the other words."""
    parser = hydra_command.parser()
    parser.prog = "dltrain"

    def error(message: str) -> NoReturn:
        words = plain(message, parser)
        raise ConfigError(words if words.endswith("?") else f"{words}. `dltrain --help` lists the flags.")

    parser.error = error  # type: ignore[method-assign]
    flags: argparse.Namespace = parser.parse_intermixed_args(list(words))
    return flags


def composer_of(flags: argparse.Namespace) -> Composer:
    """Returns a composer for the folders that the flags name."""
    folder, extra = (Path(path) if path else None for path in (flags.config_path, flags.config_dir))
    return Composer(folder, extra, flags.config_name or "config")


@dataclass(frozen=True)
class Outcome:
    """How a run or a sweep ended: its directory, the exit code and, if a single run failed, its error."""

    directory: Path
    code: int
    error: Exception | None = None


def train(words: Sequence[str]) -> int:
    """Runs what a command line without a verb asks for: overrides and Hydra's flags.

    Returns the exit code: 0 done, 1 the run or a job of the sweep failed, 2 a job's config or data is at fault, 130
    interrupted.

    Raises:
        ConfigError: If the config has faults; all of them are named before anything is trained.
    """
    typed = typed_today(words)
    flags = flags_of(typed)
    overrides: list[str] = flags.overrides
    composer = composer_of(flags)
    own = ("hydra_help", "cfg", "info", "shell_completion", "resolve", "experimental_rerun")
    if any(getattr(flags, name) for name in own):
        return _show(typed, flags, composer)
    sweep = flags.multirun or "hydra.mode=MULTIRUN" in overrides or _searches(overrides)
    with preloaded(overrides, wanted=sweep):
        settled = settle(composer, overrides)
        typed, overrides = settled.in_place(typed, overrides), settled.overrides
        config = composer.compose_sweep(overrides) if sweep else composer.compose(overrides)
        if not sweep and config.search is not None:  # an option of the group experiment chose a search
            sweep, config = True, composer.compose_sweep(overrides)
        if sweep and flags.run:
            raise ConfigError("--run has no effect on a sweep: leave it out.")
        if sweep and settled.sentence and not config.quiet:
            say(settled.sentence)
        outcome = start(composer, overrides, config, typed=typed if sweep else None, settled=settled)
    if outcome.error is not None:
        tell_any(outcome.error)
    return outcome.code


def start(
    composer: Composer,
    overrides: Sequence[str],
    config: DictConfig,
    *,
    typed: Sequence[str] | None,
    settled: Settled | None = None,
    shows: bool = True,
    prepare: Callable[[], Any] = lambda: None,
) -> Outcome:
    """Claims a directory and runs a single job, or a sweep in the jobs that are left.

    `config` is what the composer made of the overrides; `typed` are the words by which a sweep is continued, None for a
    single job. `settled` tells how its model was chosen. Unless `shows`, the terminal gets progress alone. `prepare` is
    called once the directory is claimed.

    Raises:
        ConfigError: If a word has no effect, or the directory cannot be used.
    """
    sweep = typed is not None
    given = [*overrides]
    if not sweep:
        _refuse_sweep_keys(overrides)
    elif any(word.startswith("hydra.run.dir=") for word in overrides):
        raise ConfigError("hydra.run.dir has no effect on a sweep: name its directory with hydra.sweep.dir.")
    if sweep and config.score_test == "auto":
        # Jobs that compare settings do not score the test part, since a choice by it would make its score too good.
        swept = {
            each.key_or_group for each in composer.parser.parse_overrides([*overrides]) if each.is_sweep_override()
        }
        given.append(f"score_test={'always' if swept == {'seed'} else 'never'}")
    if sweep and not shows and not (sys.stdout.isatty() or is_notebook()):
        given.append("quiet=true")  # the lines of jobs are progress, which a file has no use for
    key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    with resolving(config):
        where = OmegaConf.select(config, key)
    if not isinstance(where, str) or not where.strip():
        raise ConfigError(f"{key}: expected a directory, such as outputs/new, got {show(where)}.")
    directory = Path(where)
    chosen = any(word.lstrip("+").startswith(f"{key}=") for word in overrides)
    if sweep and chosen and (directory / "sweep.json").exists():
        from dltrain.sweeps.start import earlier_defaults

        earlier = earlier_defaults(directory, config)  # raises an error if sweep.json is damaged
        if earlier:
            given += earlier
            config = composer.compose_sweep(given)
        lock(directory)
        claimed = Claim(directory, created=False)
    else:
        claimed = claim(directory if chosen else _named_after_file(directory, config), key=key, chosen=chosen)
    if not chosen:
        given.append(f"{key}={QuotedString(str(claimed.path), Quote.single).with_quotes()}")
    errors: list[Exception] = []
    code = 1
    told = telling.set(shows)
    needed = needed_at_the_end.set("dltrain.report.sweep" if sweep and config.report is not False else None)
    try:
        prepare()
        with terminating():
            if typed is not None:
                from dltrain.sweeps.start import run_sweep

                job = functools.partial(jobs.run_sweep_job, shows=shows)
                code = run_sweep(
                    claimed.path,
                    list(typed),
                    overrides,
                    config,
                    launch=lambda: launch.run(composer, given, job, RunMode.MULTIRUN),
                    write_report=jobs.report_sweep,
                    shows=shows,
                )
            else:
                if shows and not config.quiet:
                    choices = OmegaConf.select(config, "hydra.runtime.choices") or {}
                    jobs.show_beginning(choices, overrides, claimed.path)
                launch.run(composer, given, jobs.keeping(errors, shows=shows, settled=settled), RunMode.RUN)
                code = max(map(exit_code, errors), default=0)
    except KeyboardInterrupt:
        code = INTERRUPTED
        if not any(claimed.path.rglob("run.json")):
            show_line("interrupted before the training began: no run is left")
    finally:
        telling.reset(told)
        needed_at_the_end.reset(needed)
        if code in (USAGE, INTERRUPTED):
            claimed.release()
        unlock(claimed.path)
    return Outcome(claimed.path, code, errors[0] if errors else None)


def _named_after_file(directory: Path, config: DictConfig) -> Path:
    """Returns the directory of a run on one's own data with the name of that in place of its kind, such as csv."""
    kind, path = config.dataset.get("name"), config.dataset.get("path")
    if kind not in OWN_DATA or not path or f"_{kind}" not in directory.name:
        return directory
    own = re.sub(r"[^\w-]+", "_", Path(str(path)).name.partition(".")[0])[:40]
    return directory.with_name(directory.name.replace(f"_{kind}", f"_{own}", 1)) if own else directory


def _show(words: list[str], flags: argparse.Namespace, composer: Composer) -> int:
    """Has Hydra answer its own flags, or rerun what it recorded."""
    # Hydra's own parser needs the overrides in one row, and counts --config-path from its own folder.
    words = [word for word in words if word not in flags.overrides] + flags.overrides
    if flags.config_path:
        full = str(Path(flags.config_path).resolve())
        words = [word if _value(word) != flags.config_path else word.replace(_value(word), full) for word in words]
    errors: list[Exception] = []
    try:
        launch.show(words, jobs.keeping(errors))
    except ConfigError:
        if flags.cfg or flags.info:
            composer.compose(flags.overrides)  # raises an error with all faults
        raise
    for error in errors:
        tell_any(error)
    return max(map(exit_code, errors), default=0)


def _searches(overrides: Sequence[str]) -> bool:
    """Returns whether the words choose a search, which has many jobs with or without -m."""
    return any(word.startswith("search=") and word not in ("search=none", "search=null") for word in overrides)


def _refuse_sweep_keys(overrides: Sequence[str]) -> None:
    keys = [word.lstrip("+").partition("=")[0] for word in overrides if "=" in word]
    if of_sweeps := [key for key in keys if f"{key}.".startswith(SWEEP_PREFIXES)]:
        raise ConfigError([f"{key} has no effect on a single run: it is for sweeps. Add -m." for key in of_sweeps])


def _value(word: str) -> str:
    return word.partition("=")[2] if word.startswith("--") and "=" in word else word
