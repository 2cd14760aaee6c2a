"""Runs a command line: a verb, or Hydra for everything else, without heavy imports before a job runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from dltrain import verbs
from dltrain.base import streams
from dltrain.base.errors import ConfigError, DltrainError
from dltrain.base.show import show
from dltrain.base.tell import tell, tell_unexpected
from dltrain.cli.meant import mistaken
from dltrain.record.damage import damaged_among
from dltrain.sweeps import memory

USAGE = 2
INTERRUPTED = 130
TRAINING = ("resume", "reproduce")  # verbs that train, which goes on when nobody reads any more


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line; `argv` holds the words after the program's name, by default those of the process.

    Returns the exit code: 0 done, 1 the run or a job of the sweep failed, 2 usage, config or data error, 130
    interrupted, 143 terminated.
    """
    short = {"-v": "verbose=true", "--retry-failed": "retry_failed=true"}
    words = [short.get(word, word) for word in (sys.argv[1:] if argv is None else argv)]
    memory.renewable = memory.renewable or argv is None
    if argv is None:
        streams.show_every_letter()
        if not words or words[0] not in verbs.names() or words[0] in TRAINING:
            streams.outlast_readers()
    # A config may name classes in the working directory, as with `python -m`.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        code = _run(words)
        if sys.stdout is not None:  # it is where the shell closes it
            sys.stdout.flush()  # at the end of the process, a pipe that is closed would change the exit code
        return code
    except DltrainError as error:
        tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        show("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        streams.nowhere(sys.stdout)
        return 0
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except Exception as error:
        if files := damaged_among(words):
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            changed = f"{', '.join(files)}: damaged or changed since the run wrote it, and cannot be used"
            tell(DltrainError(f"{changed}: {reason}"))
            return USAGE
        tell_unexpected(error)
        return 1


def _run(words: list[str]) -> int:
    if "--version" in words:
        from dltrain import __version__

        show(f"dltrain {__version__}")
        return 0
    if words and words[0] in verbs.names():
        return verbs.verb(words[0]).main(words[1:])
    if fault := mistaken(words):
        raise ConfigError(fault)
    return _train(words or ["--help"])


def _train(words: list[str]) -> int:
    """Answers --help and the shell's completion; every other command line trains."""
    from dltrain.api import commands

    flags = commands.flags_of(words)
    if flags.help:
        from dltrain.cli.help import page

        show(page(commands.composer_of(flags)))
        return 0
    if flags.shell_completion and "COMP_LINE" in os.environ and not _complete(os.environ["COMP_LINE"]):
        return 0
    return commands.train(words)


def _complete(line: str) -> bool:
    """Prints the words that fit the end of a command line; returns whether Hydra shall add its own."""
    from dltrain.cli.completion import complete

    found, rest = complete(line)
    show(*found, sep="\n")
    if rest is not None:
        os.environ["COMP_LINE"] = rest
    return rest is not None
