from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import split
from dltrain.data.split import Split, SplitConstraints

SHARES = {"train": 0.5, "validation": 0.2, "test": 0.3}


def source(rows: int, classes: Any = None, test_rows: Any = None) -> SplitConstraints:
    return SplitConstraints(None if classes is None else np.asarray(classes), test_rows, rows)


def assert_parts_of(found: Split, rows: int) -> None:
    parts = list(found.parts().values())
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(rows))
    for part in parts:
        assert len(part)
        assert (np.diff(part) > 0).all()


def sizes(found: Split) -> tuple[int, ...]:
    return tuple(len(rows) for rows in found.parts().values())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (10, (6, 2, 2)),
        (1_000, (600, 200, 200)),
        (1_001, (801, 100, 100)),
        (10_000, (8_000, 1_000, 1_000)),
        (10_001, (9_801, 100, 100)),
        (100_000, (98_000, 1_000, 1_000)),
    ],
)
@pytest.mark.parametrize("classes", [False, True])
def test_bare_rule_goes_by_size(rows: int, expected: tuple[int, ...], classes: bool) -> None:
    found = split.auto(source(rows, np.arange(rows) % 2 if classes else None), seed=1, stratify=True)
    assert sizes(found) == expected
    assert_parts_of(found, rows)


@given(rows=st.integers(10, 60_000))
def test_parts_do_not_shrink_as_rows_are_added(rows: int) -> None:
    def scored(count: int) -> tuple[int, ...]:
        return sizes(split.auto(source(count), seed=1, stratify=True, minimum_rows=1_000))[1:]

    assert scored(rows) == sizes(split.auto(source(rows), seed=1, stratify=True))[1:] or rows > 10_000
    if rows > 10_000:
        assert min(scored(rows)) >= 1_000
        assert scored(rows + 1) >= scored(rows)


@given(rows=st.integers(60, 400), seed=st.integers(0, 100))
def test_quantiles_of_a_quantity_keep_their_shares(rows: int, seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(size=rows)
    constraints = SplitConstraints(None, None, rows, values=values)
    found = split.ratio(constraints, seed=seed, stratify=True, quantiles=4, **SHARES)
    edges = np.quantile(values, [0.25, 0.5, 0.75])
    for part in found.parts().values():
        counts = np.bincount(np.searchsorted(edges, values[part], side="right"), minlength=4)
        assert np.ptp(counts) <= 2
    plain = split.ratio(constraints, seed=seed, stratify=False, quantiles=4, **SHARES)
    assert sizes(plain) == sizes(found)


@given(
    counts=st.lists(st.integers(1, 60), min_size=1, max_size=6).filter(lambda counts: sum(counts) >= 10),
    seed=st.integers(0, 2**32 - 1),
    stratify=st.booleans(),
)
def test_parts_are_disjoint_and_complete(counts: list[int], seed: int, stratify: bool) -> None:
    rows = sum(counts)
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    for found in (
        split.auto(source(rows, classes), seed=seed, stratify=stratify),
        split.ratio(source(rows, classes), seed=seed, stratify=stratify, **SHARES),
    ):
        assert_parts_of(found, rows)


@given(rows=st.integers(10, 3_000), seed=st.integers(0, 100))
def test_ratio_gives_the_shares(rows: int, seed: int) -> None:
    found = split.ratio(source(rows), seed=seed, stratify=True, **SHARES)
    for count, share in zip(sizes(found), SHARES.values(), strict=True):
        assert abs(count - rows * share) <= 1


@given(counts=st.lists(st.integers(20, 200), min_size=2, max_size=4), seed=st.integers(0, 100))
def test_classes_keep_their_shares(counts: list[int], seed: int) -> None:
    rows = sum(counts)
    classes = np.repeat(np.arange(len(counts)), counts)
    found = split.ratio(source(rows, classes), seed=seed, stratify=True, **SHARES)
    for part in found.parts().values():
        kept = np.bincount(classes[part], minlength=len(counts))
        assert np.abs(kept - len(part) * np.array(counts) / rows).max() <= 2


def test_without_stratification_shares_may_differ() -> None:
    classes = np.arange(200) % 2
    counts = {
        int(classes[split.ratio(source(200, classes), seed=seed, stratify=False, **SHARES).test].sum())
        for seed in range(20)
    }
    assert len(counts) > 3


def test_seed_decides() -> None:
    def rows(seed: int) -> list[int]:
        return split.auto(source(100, np.arange(100) % 3), seed=seed, stratify=True).test.tolist()

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


@given(
    marks=st.lists(st.booleans(), min_size=20, max_size=80).filter(lambda marks: sum(marks) and marks.count(False) > 9),
    seed=st.integers(0, 100),
)
def test_official_test_set_stays_intact(marks: list[bool], seed: int) -> None:
    test_rows = np.array(marks)
    given_source = source(len(marks), np.arange(len(marks)) % 2, test_rows)
    for found in (
        split.auto(given_source, seed=seed, stratify=True),
        split.official(given_source, seed=seed, validation=0.3, stratify=True),
    ):
        np.testing.assert_array_equal(found.test, np.flatnonzero(test_rows))
        assert_parts_of(found, len(marks))


def test_official_validation_is_a_share_of_the_other_rows() -> None:
    test_rows = np.arange(150) >= 100
    found = split.official(source(150, None, test_rows), seed=0, validation=0.25, stratify=True)
    assert sizes(found) == (75, 25, 50)


def test_ratio_refuses_to_mix_an_official_test_set() -> None:
    with pytest.raises(ConfigError, match=r"would mix this dataset's official test set .* Use split=official"):
        split.ratio(source(20, None, np.arange(20) > 10), seed=0, stratify=True, **SHARES)


def test_official_needs_a_test_set() -> None:
    with pytest.raises(ConfigError, match=r"no official test set\. Use split=auto or split=ratio"):
        split.official(source(20), seed=0, validation=0.1, stratify=True)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2.0])
def test_official_refuses_a_share_that_is_none(share: float) -> None:
    with pytest.raises(ConfigError, match=rf"split\.validation: .* got {share}"):
        split.official(source(20, None, np.arange(20) > 10), seed=0, validation=share, stratify=True)


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.2), (0.8, 0.2, 0.0), (1.2, -0.1, -0.1), (0.6, 0.3, 0.2)])
def test_ratio_refuses_shares_that_do_not_add_up(shares: tuple[float, float, float]) -> None:
    train, validation, test = shares
    with pytest.raises(ConfigError, match=f"add up to 1, got {train}, {validation} and {test}"):
        split.ratio(source(100), seed=0, train=train, validation=validation, test=test, stratify=True)


@pytest.mark.parametrize("marks", [np.ones(20, bool), np.arange(20) > 0])
def test_official_test_set_that_leaves_no_rows_is_refused(marks: Any) -> None:
    with pytest.raises(DataError, match="rows are too few for this split"):
        split.official(source(20, None, marks), seed=0, validation=0.1, stratify=True)


def test_share_that_takes_all_rows_is_refused() -> None:
    with pytest.raises(DataError, match="9 rows are too few for this split"):
        split.ratio(source(10), seed=0, train=0.01, validation=0.98, test=0.01, stratify=True)


def test_official_test_set_without_a_row_is_refused() -> None:
    with pytest.raises(DataError, match="The test part has no row"):
        split.official(source(20, None, np.zeros(20, bool)), seed=0, validation=0.1, stratify=True)


class TestSubset:
    def test_keeps_the_shares_of_classes_and_test_rows(self) -> None:
        classes, test_rows = np.repeat([0, 1], [300, 100]), np.arange(400) % 4 == 0
        kept = split.subset(source(400, classes, test_rows), 40, seed=0)
        assert len(kept) == len(set(kept.tolist())) == 40
        assert abs(classes[kept].sum() - 10) <= 1
        assert abs(test_rows[kept].sum() - 10) <= 1
        assert (np.diff(kept) > 0).all()

    def test_keeps_all_where_there_are_fewer(self) -> None:
        np.testing.assert_array_equal(split.subset(source(12), 40, seed=0), np.arange(12))

    def test_seed_decides(self) -> None:
        first, again, other = (split.subset(source(200), 20, seed).tolist() for seed in (1, 1, 2))
        assert first == again
        assert first != other


def test_without_a_test_part_every_other_row_trains_or_validates() -> None:
    classes = np.repeat([0, 1], [80, 20])
    constraints = SplitConstraints(classes, None, 100)
    found = split.no_test(constraints, seed=1, validation=0.2, stratify=True, quantiles=10)
    assert sizes(found) == (80, 20, 0)
    assert classes[found.validation].sum() == 4
    assert sorted([*found.train, *found.validation]) == list(range(100))
    everything = split.no_test(constraints, seed=1, validation=None, stratify=True, quantiles=10)
    assert (len(everything.train), len(everything.validation)) == (100, 0)


def test_an_official_test_set_is_not_trained_on() -> None:
    constraints = SplitConstraints(None, np.arange(100) > 80, 100)
    with pytest.raises(ConfigError, match="split=no_test would train on this dataset's official test set"):
        split.no_test(constraints, seed=1, validation=0.1, stratify=True, quantiles=10)


@given(
    times=st.lists(st.integers(0, 40).map(float), min_size=6, max_size=120),
    gap=st.sampled_from([0.0, 0.0, 1.0, 2.5]),
)
def test_time_goes_on_from_part_to_part(times: list[float], gap: float) -> None:
    when = np.array(times)
    constraints = SplitConstraints(None, None, len(when), times=when)
    assume(len(set(times)) >= 3)
    try:
        found = split.time(constraints, column="t", train=0.5, validation=0.2, test=0.3, gap=gap)
    except DataError:  # no row of a part lies so long before the next one
        reject()
    parts = [when[rows] for rows in found.parts().values()]
    for earlier, later in pairwise(parts):
        assert later.min() - earlier.max() >= max(gap, np.nextafter(0, 1))
    left = set(range(len(when))) - set(np.concatenate(list(found.parts().values())))
    assert not left or gap
    # Every row that is left out is less than the gap before a later part.
    assert all(any(0 < part.min() - when[row] < gap for part in parts[1:]) for row in left)


def test_different_times_are_cut_by_the_shares_and_equal_ones_stay_together() -> None:
    when = np.random.default_rng(0).permutation(100).astype(float)
    found = split.time(
        SplitConstraints(None, None, 100, times=when), column="t", train=0.7, validation=0.2, test=0.1, gap=0
    )
    assert sizes(found) == (70, 20, 10)
    assert set(when[found.test]) == set(range(90, 100))
    coarse = SplitConstraints(None, None, 100, times=when // 25)
    assert sizes(split.time(coarse, column="t", train=0.7, validation=0.2, test=0.1, gap=0)) == (50, 25, 25)
    with pytest.raises(DataError, match="2 different times cannot be split into 3 spans"):
        split.time(
            SplitConstraints(None, None, 100, times=when // 50), column="t", train=0.7, validation=0.2, test=0.1, gap=0
        )


@given(groups=st.lists(st.integers(0, 30), min_size=9, max_size=90), seed=st.integers(0, 2**32 - 1))
def test_no_group_is_in_two_parts(groups: list[int], seed: int) -> None:
    assume(len(set(groups)) >= 9)
    found = split.group(
        SplitConstraints(None, None, len(groups), np.array(groups)),
        **{"seed": seed, "column": "g", **SHARES, "stratify": True, "quantiles": 10, "group_is_feature": False},
    )
    assert_parts_of(found, len(groups))
    sets = [{groups[row] for row in rows} for rows in found.parts().values()]
    assert sum(map(len, sets)) == len(set(groups))


@pytest.mark.parametrize("name", ["time", "group"])
def test_official_test_set_is_never_mixed(name: str) -> None:
    official = source(20, test_rows=np.arange(20) > 15)
    more = {"stratify": True, "quantiles": 10, "group_is_feature": False, "seed": 1} if name == "group" else {"gap": 0}
    with pytest.raises(ConfigError, match=f"split={name} would mix this dataset's official test set"):
        getattr(split, name)(official, column="t", **SHARES, **more)
