"""The command line: verbs, and Hydra for everything else. Nothing heavy is imported before a job runs."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.base.errors import ConfigError, DltrainError, did_you_mean
from dltrain.base.printable import printable
from dltrain.sweep import memory

if TYPE_CHECKING:
    from omegaconf import DictConfig

# First word of a command line -> module and function; it takes the other words and returns the exit code.
VERBS: dict[str, str] = {
    "check": "dltrain.verbs.check:main",
    "compare": "dltrain.verbs.compare:main",
    "evaluate": "dltrain.verbs.evaluate:main",
    "export": "dltrain.verbs.export:main",
    "init": "dltrain.verbs.init:main",
    "plan": "dltrain.verbs.plan:main",
    "predict": "dltrain.verbs.predict:main",
    "report": "dltrain.verbs.report:main",
    "reproduce": "dltrain.verbs.reproduce:main",
    "resume": "dltrain.verbs.resume:main",
    "runs": "dltrain.verbs.runs:main",
    "serve": "dltrain.verbs.serve:main",
    "why": "dltrain.verbs.why:main",
}

USAGE = 2
INTERRUPTED = 130
TERMINATED = 143

# Keys, and what stands below them, that a single run does not look at.
OF_SWEEPS = (
    *("keep.", "extend.", "retry_failed."),
    *("hydra.sweep.", "hydra.sweeper.", "hydra.launcher.", "hydra/sweeper.", "hydra/launcher."),
)

# Faults of the disk, which a person can mend; any other error that is not ours is a bug and shows where it is.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line.

    Args:
        argv: the words after the program's name; those of the process by default.

    Returns:
        The exit code: 0 done, 1 the run failed or a job of the sweep did, 2 usage, config or data error,
        130 interrupted, 143 terminated.
    """
    short = {"-v": "verbose=true", "--retry-failed": "retry_failed=true"}
    words = [short.get(word, word) for word in (sys.argv[1:] if argv is None else argv)]
    memory.renewable = memory.renewable or argv is None
    # Classes that a config names may stand in the working directory, as they may for `python -m`.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        if "--version" in words:
            from dltrain import __version__

            print(f"dltrain {__version__}")
            return 0
        first = words[0] if words else ""
        if first in VERBS:
            module, _, function = VERBS[first].partition(":")
            return int(getattr(importlib.import_module(module), function)(words[1:]))
        if first and "=" not in first and first[0] not in "-~+":
            raise ConfigError(_unknown_word(first))
        return _train(words)
    except DltrainError as error:
        tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:
        tell_unexpected(error)
        return 1


def _unknown_word(word: str) -> str:
    from dltrain.config.compose import conf_directory

    groups = sorted(file.parent.name for file in conf_directory().glob("*/*.yaml") if file.stem == word)
    if groups:
        return f"'{word}' is no verb. Did you mean {groups[0]}={word}?"
    return f"'{word}' is neither a verb nor key=value.{did_you_mean(word, VERBS)}"


def _train(words: list[str]) -> int:
    """Checks the config, claims a directory, and has Hydra run the job or the jobs."""
    from hydra._internal.utils import get_args_parser
    from hydra.core.override_parser.types import Quote, QuotedString
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    from dltrain.api import launch
    from dltrain.base.lock import lock, unlock
    from dltrain.config.compose import Composer
    from dltrain.config.hydra_node import resolving
    from dltrain.record.claim import Claim, claim

    typed = list(words)
    parser = get_args_parser()
    parser.prog = "dltrain"
    flags = parser.parse_intermixed_args(words)
    overrides: list[str] = flags.overrides
    shows = flags.hydra_help or flags.cfg or flags.info or flags.shell_completion or flags.resolve
    folder, extra = (Path(path) if path else None for path in (flags.config_path, flags.config_dir))
    if flags.help:
        from dltrain.cli.help import page

        print(page(Composer(folder, extra, flags.config_name or "config"), VERBS))
        return 0
    if flags.shell_completion and "COMP_LINE" in os.environ and not _complete(os.environ["COMP_LINE"]):
        return 0
    codes: list[int] = []
    if shows or flags.experimental_rerun:
        # Hydra's own parsing wants the overrides in one row, and takes --config-path from its own folder.
        words = [word for word in words if word not in overrides] + overrides
        if flags.config_path:
            full = str(Path(flags.config_path).resolve())
            words = [word if _value(word) != flags.config_path else word.replace(_value(word), full) for word in words]
        try:
            launch.show(words, _reporting(codes))
            return max(codes, default=0)
        except ConfigError:
            if flags.cfg or flags.info:
                Composer(folder, extra, flags.config_name or "config").compose(overrides)  # tells all faults
            raise
    composer = Composer(folder, extra, flags.config_name or "config")
    given = [*overrides]
    sweep = flags.multirun or "hydra.mode=MULTIRUN" in overrides or _searches(overrides)
    config = composer.compose_sweep(overrides) if sweep else composer.compose(overrides)
    if not sweep and config.search is not None:  # an experiment of the conf chose it
        sweep, config = True, composer.compose_sweep(overrides)
    if not sweep:
        _refuse_sweep_keys(overrides)
    elif flags.run:
        raise ConfigError("--run has no effect on a sweep: leave it out.")
    elif any(word.startswith("hydra.run.dir=") for word in overrides):
        raise ConfigError("hydra.run.dir has no effect on a sweep: name its directory with hydra.sweep.dir.")
    if sweep and config.score_test == "auto":
        # Jobs that compare settings leave the test part alone: choosing by it would make its score too good.
        swept = {each.key_or_group for each in composer.parser.parse_overrides(overrides) if each.is_sweep_override()}
        given.append(f"score_test={'always' if swept == {'seed'} else 'never'}")
    key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    with resolving(config):
        directory = Path(OmegaConf.select(config, key))
    chosen = any(word.lstrip("+").startswith(f"{key}=") for word in overrides)
    if sweep and chosen and (directory / "sweep.json").exists():
        lock(directory)
        claimed = Claim(directory, created=False)
    else:
        claimed = claim(directory, key=key, chosen=chosen)
    if not chosen:
        given.append(f"{key}={QuotedString(str(claimed.path), Quote.single).with_quotes()}")
    code = 1
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        if sweep:
            from dltrain.sweep.job import run_sweep_job
            from dltrain.sweep.start import run_sweep

            def run_jobs() -> None:
                launch.run(composer, given, run_sweep_job, RunMode.MULTIRUN)

            code = run_sweep(claimed.path, typed, overrides, config, run_jobs)
        else:
            launch.run(composer, given, _reporting(codes), RunMode.RUN)
            code = max(codes, default=0)
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
        if code in (USAGE, INTERRUPTED):
            claimed.release()
        unlock(claimed.path)
    return code


def _complete(line: str) -> bool:
    """Prints the words that fit the end of a command line; whether Hydra is to add its own."""
    from dltrain.cli.completion import complete

    found, rest = complete(line, VERBS)
    print(*found, sep="\n")
    if rest is not None:
        os.environ["COMP_LINE"] = rest
    return rest is not None


def _reporting(codes: list[int]) -> Callable[[DictConfig], Any]:
    """A job that runs one experiment; a failed one tells why and leaves its exit code."""

    def job(config: DictConfig) -> Any:
        try:
            from dltrain.internals import tensorflow_quietly

            tensorflow_quietly.load(config)
            from dltrain.experiment.run import run_job

            return run_job(config)
        except DltrainError as error:
            codes.append(error.exit_code)
            tell(error)
        except Exception as error:
            codes.append(1)
            tell_unexpected(error)
        return None

    return job


def _searches(overrides: Sequence[str]) -> bool:
    """Whether the words choose a search: it has many jobs, with or without -m."""
    return any(word.startswith("search=") and word not in ("search=none", "search=null") for word in overrides)


def _refuse_sweep_keys(overrides: Sequence[str]) -> None:
    keys = [word.lstrip("+").partition("=")[0] for word in overrides if "=" in word]
    if of_sweeps := [key for key in keys if f"{key}.".startswith(OF_SWEEPS)]:
        raise ConfigError([f"{key} has no effect on a single run: it is for sweeps. Add -m." for key in of_sweeps])


def _value(word: str) -> str:
    return word.partition("=")[2] if word.startswith("--") and "=" in word else word


def tell(error: DltrainError, prefix: str = "") -> None:
    """Prints each fault of an error in a line of its own."""
    for fault in getattr(error, "faults", [str(error)]):
        print(printable(f"error: {prefix}{' '.join(fault.split())}"), file=sys.stderr)


def tell_unexpected(error: Exception) -> None:
    """Prints a fault of the disk in a sentence, and any other, which is a bug, with its traceback."""
    if isinstance(error, OSError) and error.errno in DISK_FAULTS:
        where = f" '{error.filename}'" if error.filename else ""
        print(f"error: a file{where} cannot be written: {error.strerror}.", file=sys.stderr)
    else:
        traceback.print_exception(error)
