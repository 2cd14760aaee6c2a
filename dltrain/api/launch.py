"""Hydra's part of a command line: it runs the job or the jobs, or prints what its own flags ask for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import version
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.config.compose import COMPOSITION_ERRORS, Composer, conf_directory
from dltrain.config.moved_paths import rename_moved
from dltrain.config.overrides import sentence
from dltrain.internals.hydra_command import runner

VERSION = "1.3"  # of Hydra's defaults

Job = Callable[[DictConfig], Any]


def run(composer: Composer, overrides: Sequence[str], job: Job, mode: RunMode) -> None:
    """Runs one job, or each job of a sweep, in a directory of its own.

    `hydra.main` would do the same with a loader of its own, which composes twice more what the composer has.

    Args:
        composer: of the folders that hold the options.
        overrides: of the command line.
        job: gets each config.
        mode: RUN or MULTIRUN.

    Raises:
        ConfigError: a config cannot be composed.
    """
    version.setbase(VERSION)
    hydra = runner("dltrain", composer.loader)
    GlobalHydra.instance().initialize(hydra)
    wanted = f"hydra.mode={mode.name}"
    words = [*overrides] if wanted in overrides else [*overrides, wanted]
    start = hydra.run if mode is RunMode.RUN else hydra.multirun
    try:
        with _our_errors():
            start(composer.config_name, job, words)
    finally:
        GlobalHydra.instance().clear()


def show(words: Sequence[str], job: Job) -> None:
    """Has Hydra answer its own flags, such as --cfg; with --experimental-rerun it runs a job.

    Args:
        words: the command line.
        job: gets the config of a rerun.

    Raises:
        ConfigError: the config cannot be composed.
    """
    import hydra

    def rerun(config: DictConfig) -> Any:
        rename_moved(config)
        return job(config)

    before, sys.argv = sys.argv, ["dltrain", *words]
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        with _our_errors():
            hydra.main(config_path=str(conf_directory()), config_name="config", version_base=VERSION)(rerun)()
    finally:
        sys.argv = before
        # --info leaves a handler that writes to the standard output of this moment.
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def _our_errors() -> Iterator[None]:
    """Has Hydra raise what it would print in its own way."""
    full_error = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    except COMPOSITION_ERRORS as error:
        raise ConfigError(sentence(error)) from error
    finally:
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
