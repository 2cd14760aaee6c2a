"""`dltrain resume SWEEP`: the same command again, in the same directory and from the same place."""

from __future__ import annotations

from pathlib import Path

from dltrain.sweep.start import RECORD, again


def is_sweep(directory: Path) -> bool:
    """Whether a sweep can go on there."""
    return (directory / RECORD).is_file()


def resume_sweep(directory: Path, words: list[str]) -> int:
    """Runs what is left of a sweep.

    Args:
        directory: of the sweep.
        words: added to those of the first start: --retry-failed, extend=true with a wider space, search.jobs=80.

    Returns:
        The exit code of the sweep.

    Raises:
        ConfigError: the sweep's record cannot be read, or its settings cannot work any more.
    """
    from dltrain.cli.main import main

    return main(again(directory, words))
