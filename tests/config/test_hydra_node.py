from __future__ import annotations

import pytest
from hydra.core.hydra_config import HydraConfig

from dltrain.config.compose import Composer
from dltrain.config.hydra_node import record, resolving, unresolved_directories
from dltrain.config.overrides import parse


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def test_hydras_own_node_is_readable_inside_and_as_before_outside(composer: Composer) -> None:
    config = composer.compose(["dataset=synthetic"])
    config.split = {"place": "${hydra:runtime.output_dir}"}
    before = HydraConfig.instance().cfg
    with resolving(config):
        assert config.split.place == "."
    assert HydraConfig.instance().cfg is before
    with pytest.raises(KeyError), resolving(config):
        raise KeyError
    assert HydraConfig.instance().cfg is before


def test_overrides_of_hydra_and_of_the_job_are_kept_apart(composer: Composer) -> None:
    config = composer.compose(["dataset=synthetic"])
    parsed, found = parse(composer.parser, ["seed=3", "hydra.verbose=true", "trainer.epochs=2"])
    assert found == []
    record(config, parsed)
    assert list(config.hydra.overrides.task) == ["seed=3", "trainer.epochs=2"]
    assert list(config.hydra.overrides.hydra) == ["hydra.verbose=true"]
    assert config.hydra.job.override_dirname == "seed=3,trainer.epochs=2"


def test_a_directory_that_cannot_be_resolved_is_named(composer: Composer) -> None:
    config = composer.compose(["dataset=synthetic"])
    with resolving(config):
        assert unresolved_directories(config) == []
    config.hydra.run.dir = "${no.such.key}"
    with resolving(config):
        (found,) = unresolved_directories(config)
    assert found.startswith("hydra.run.dir:")
    assert "no.such.key" in found
