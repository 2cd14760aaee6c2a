"""What Hydra and OmegaConf say of a fault is said in plain words."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.config.compose import Composer
from dltrain.config.plain_words import sentence

FOREIGN = ("Interpolation", "full_key", "reference_type", "defaults list", "Multiple values", "type str", "force-add")


@pytest.mark.parametrize(
    "typed",
    [
        "seed=${nope}",
        "hydra.run.dir=${nope}",
        "hydra.job.chdir=maybe",
        "hydra.job.num=a",
        "+cv=kfold",
        "++optimizer=adam",
        "optimizer@foo=adam",
        "seed={a:1}",
        "~nothing",
    ],
)
def test_no_word_of_hydra_reaches_a_person(typed: str) -> None:
    (fault,) = Composer().check([typed])[1]
    assert not [word for word in FOREIGN if word in fault]


def test_reference_to_nothing() -> None:
    with pytest.raises(OmegaConfBaseException) as caught:
        OmegaConf.create({"a": "${b}"})["a"]
    assert sentence(caught.value) == "it refers to the key 'b', which does not exist"
