from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf, open_dict
from sklearn.model_selection import train_test_split

from dltrain.config.compose import Composer
from dltrain.config.fingerprint import EARLIER_DEFAULTS, fingerprint
from dltrain.config.seed import Seed
from dltrain.data import split
from dltrain.data.split import SplitConstraints

NUMBERS = st.integers(0, 2**32 - 1)
USES = ("split", "rows", "folds", "weights", "order", "augmentation", "intervals", "baselines", "comparison")


@given(number=NUMBERS)
def test_each_use_has_a_stream_of_its_own(number: int) -> None:
    seed = Seed(number, 2)
    streams = [seed.stream(use) for use in USES] + [seed.fold(place).stream("weights") for place in range(1, 11)]
    assert len({number, *streams}) == 1 + len(streams)
    assert all(0 <= stream < 2**32 for stream in streams)
    assert streams[0] == Seed(number, 2).stream("split")


@given(number=NUMBERS)
def test_first_rule_takes_the_number_for_every_use(number: int) -> None:
    seed = Seed(number, 1)
    assert {seed.stream(use) for use in USES} == {number}
    assert seed.fold(3).number == int(np.random.SeedSequence([number, 3]).generate_state(1)[0])


def test_streams_do_not_change_from_version_to_version() -> None:
    assert [Seed(42, 2).stream(use) for use in ("split", "weights")] == [3197434141, 2384649698]


def test_split_is_not_that_of_files_prepared_with_the_same_number() -> None:
    rows = np.arange(1_030)
    _, blanked = train_test_split(rows, test_size=103, random_state=42)
    found = split.auto(SplitConstraints(None, None, len(rows)), seed=Seed(42, 2).stream("split"), stratify=True)
    assert len(np.intersect1d(found.test, blanked)) < 30  # 10 of 103 are expected by chance


def test_recorded_config_without_the_key_keeps_its_rule_and_its_fingerprint() -> None:
    config = Composer().compose(["dataset=wine"])
    assert Seed.of(config).rule == 2
    before, recorded = config.copy(), config.copy()
    for key, value in EARLIER_DEFAULTS.items():
        group, _, name = key.rpartition(".")
        if OmegaConf.select(config, key) is not None:
            OmegaConf.update(before, key, value)
            node = OmegaConf.select(recorded, group) if group else recorded
            with open_dict(node):
                del node[name]
    assert Seed.of(recorded) == Seed(42, 1)
    assert fingerprint(recorded) == fingerprint(before) != fingerprint(config)
