"""Gives Hydra's command-line parser and its runner separately, which the public `hydra.main` combines."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

NAMES = ("hydra._internal.hydra.Hydra", "hydra._internal.utils.get_args_parser")


def parser() -> ArgumentParser:
    """Returns the parser of Hydra's own flags, such as -m and --cfg."""
    from hydra._internal.utils import get_args_parser

    return get_args_parser()


def runner(name: str, loader: Any) -> Any:
    """Returns an object that runs a job or a sweep, with methods `run` and `multirun`, on the configs of a loader.

    `name` is that of the task; the loader is one of `hydra_loading`.
    """
    from hydra._internal.hydra import Hydra

    return Hydra(name, loader)
