"""Has Hydra run jobs or answer its own flags."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import version
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.config.compose import COMPOSITION_ERRORS, Composer, conf_directory
from dltrain.config.moved_paths import rename_moved
from dltrain.config.plain_words import sentence
from dltrain.internals.hydra_command import runner

VERSION = "1.3"  # of Hydra's defaults

Job = Callable[[DictConfig], Any]


def run(composer: Composer, overrides: Sequence[str], job: Job, mode: RunMode) -> None:
    """Runs one job, or each job of a sweep, in its own directory.

    `hydra.main` would do so with its own loader, which composes again what the composer already has.
    """
    version.setbase(VERSION)
    hydra = runner("dltrain", composer.loader)
    # A program that is configured by Hydra may call dltrain.
    outer, job_of_outer = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    GlobalHydra.instance().clear()
    GlobalHydra.instance().initialize(hydra)
    wanted = f"hydra.mode={mode.name}"
    words = [*overrides] if wanted in overrides else [*overrides, wanted]
    start = hydra.run if mode is RunMode.RUN else hydra.multirun
    try:
        with _our_errors():
            start(composer.config_name, job, words)
    finally:
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = outer, job_of_outer


def show(words: Sequence[str], job: Job) -> None:
    """Has Hydra answer its own flags, such as --cfg; with --experimental-rerun it runs the job."""
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
        # --info leaves a log handler behind.
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def _our_errors() -> Iterator[None]:
    """Has Hydra raise the errors that it would print itself."""
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
