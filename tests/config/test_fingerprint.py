from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from dltrain.config.fingerprint import fingerprint, group_of

CONFIG = {"seed": 1, "model": {"units": [2], "rate": "${seed}"}, "quiet": False}


def test_order_of_keys_and_what_changes_no_result_do_not_count() -> None:
    expected = fingerprint(OmegaConf.create(CONFIG))
    assert len(expected) == 16
    assert fingerprint(OmegaConf.create(dict(reversed(CONFIG.items())))) == expected
    others = {"quiet": True, "verbose": True, "report": False, "tracking": {"uri": "x"}, "search": {"jobs": 3}}
    assert fingerprint(OmegaConf.create(CONFIG | others | {"hydra": {"job": 1}})) == expected


@pytest.mark.parametrize(
    "changed", [{"seed": 2}, {"seed": 1.0}, {"model": {"units": [3], "rate": 1}}, {"more": None}], ids=str
)
def test_everything_else_does(changed: dict[str, object]) -> None:
    assert fingerprint(OmegaConf.create(CONFIG | changed)) != fingerprint(OmegaConf.create(CONFIG))


def test_resolved_config_is_the_same_one() -> None:
    resolved = OmegaConf.to_container(OmegaConf.create(CONFIG), resolve=True)
    assert fingerprint(OmegaConf.create(resolved)) == fingerprint(OmegaConf.create(CONFIG))


@pytest.mark.parametrize(
    ("word", "group"),
    [
        ("+search.sampler.seed=1", "search"), ("hydra/launcher=ray", "hydra"), ("~callbacks.progress", "callbacks"),
        ("++a@b=c", "a"), ("callbacks:x", "callbacks"), ("seed=1", "seed"),
    ],
)  # fmt: skip
def test_group_of_a_word(word: str, group: str) -> None:
    assert group_of(word) == group
