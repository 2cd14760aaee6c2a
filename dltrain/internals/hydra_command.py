"""Hydra's command line and its runs, each by itself: the public `hydra.main` reads the one and starts the other."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

NAMES = ("hydra._internal.hydra.Hydra", "hydra._internal.utils.get_args_parser")


def parser() -> ArgumentParser:
    """The parser of Hydra's own flags, such as -m and --cfg."""
    from hydra._internal.utils import get_args_parser

    return get_args_parser()


def runner(name: str, loader: Any) -> Any:
    """What runs a job or a sweep, with methods `run` and `multirun`, on configs of a loader that is given.

    Args:
        name: of the task.
        loader: of configs, as in `hydra_loading`.
    """
    from hydra._internal.hydra import Hydra

    return Hydra(name, loader)
