"""Fills Hydra's own node of a composed config while no job of Hydra is running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from dltrain.config.plain_words import sentence
from dltrain.internals.hydra_loading import override_directory


@contextmanager
def resolving(config: DictConfig) -> Iterator[None]:
    """Makes `${hydra:…}` in a composed config readable while no job of Hydra is running."""
    node = config.hydra
    job_only = [(node.runtime, "output_dir", "."), (node.job, "id", "0"), (node.job, "num", 0)]
    # Set in the config itself and taken back, since copying all of it takes milliseconds.
    before = ["???" if OmegaConf.is_missing(section, key) else section[key] for section, key, _ in job_only]
    hydra_config = HydraConfig.instance()
    outer = hydra_config.cfg
    with open_dict(node):
        for section, key, value in job_only:
            section[key] = value
    hydra_config.cfg = config  # type: ignore[assignment]
    try:
        yield
    finally:
        hydra_config.cfg = outer
        with open_dict(node):
            for (section, key, _), value in zip(job_only, before, strict=True):
                section[key] = value


def record(config: DictConfig, parsed: Sequence[Override]) -> None:
    """Writes the overrides into Hydra's node as Hydra does, since validation and run directories read them there."""
    hydra = [each for each in parsed if each.is_hydra_override()]
    task = [each for each in parsed if not each.is_hydra_override()]
    config.hydra.overrides.hydra = [each.input_line for each in hydra]
    config.hydra.overrides.task = [each.input_line for each in task]
    words = config.hydra.job.config.override_dirname
    name = override_directory(task, words.exclude_keys, words.item_sep, words.kv_sep)
    config.hydra.job.override_dirname = name


def unresolved_directories(config: DictConfig) -> list[str]:
    """Returns the faults of the two directories, which Hydra would find only after its start."""
    faults = []
    for key in ("hydra.run.dir", "hydra.sweep.dir"):
        try:
            OmegaConf.select(config, key)
        except OmegaConfBaseException as error:
            faults.append(f"{key}: {sentence(error)}")
    return faults
