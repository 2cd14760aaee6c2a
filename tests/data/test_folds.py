from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from omegaconf import DictConfig
from sklearn.model_selection import TimeSeriesSplit

from dltrain.base.errors import ConfigError, DataError
from dltrain.config.seed import Seed
from dltrain.data.folds import make_folds
from dltrain.data.split import SplitConstraints, cut, ratio


def options(name: str, **more: Any) -> DictConfig:
    return DictConfig({"name": name, "ensemble": False, **more})


def assert_folds_of(folds: Any, rows: Any, repeats: int = 1) -> None:
    """Each row is scored once a repeat, and a fold's parts are disjoint and make up the rows."""
    for repeat in range(1, repeats + 1):
        scored = np.concatenate([fold.split.test for fold in folds if fold.repeat == repeat])
        np.testing.assert_array_equal(np.sort(scored), rows)
    for fold in folds:
        parts = fold.split.parts().values()
        assert all(len(part) for part in parts)
        np.testing.assert_array_equal(np.sort(np.concatenate(list(parts))), rows)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(12, 80),
    kinds=st.integers(0, 4),
    folds=st.integers(2, 6),
    repeats=st.integers(2, 3),
    name=st.sampled_from(["kfold", "repeated_kfold", "leave_one_out"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_row_is_scored_once_a_repeat(
    count: int, kinds: int, folds: int, repeats: int, name: str, seed: int
) -> None:
    classes = np.random.default_rng(seed).integers(0, kinds, count) if kinds else None
    rows = np.sort(np.random.default_rng(seed).permutation(count)[: count - 2])
    assume(classes is None or np.bincount(classes[rows]).max() >= folds)
    more = {"kfold": {"folds": folds}, "repeated_kfold": {"folds": folds, "repeats": repeats}}.get(name, {})
    found = make_folds(
        options(name, **more), SplitConstraints(classes, None, count), rows, validation=0.2, seed=Seed(seed, 2)
    )
    assert_folds_of(found, rows, repeats if name == "repeated_kfold" else 1)
    assert [fold.number for fold in found] == list(range(1, len(found) + 1))
    assert len({fold.seed for fold in found}) == len(found)
    again = make_folds(
        options(name, **more), SplitConstraints(classes, None, count), rows, validation=0.2, seed=Seed(seed, 2)
    )
    for one, other in zip(found, again, strict=True):
        assert one.seed == other.seed
        np.testing.assert_array_equal(one.split.train, other.split.train)


@settings(max_examples=20, deadline=None)
@given(
    count=st.integers(20, 90),
    sites=st.integers(6, 15),
    stratified=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_group_is_in_two_parts(count: int, sites: int, stratified: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(sites), random.integers(0, sites, count - sites)])
    classes = random.permutation(np.arange(count) % 2) if stratified else None
    source = SplitConstraints(classes, None, count, groups)
    split = ratio(source, seed=seed, train=0.6, validation=0.2, test=0.2, stratify=True)
    rows = np.sort(np.concatenate([split.train, split.validation]))
    assume(len(set(groups[rows])) >= 4)
    found = make_folds(options("group_kfold", folds=3, group="site"), source, rows, validation=0.2, seed=Seed(seed, 2))
    assert_folds_of(found, rows)
    for each in [split, *(fold.split for fold in found)]:
        sets = [set(groups[part]) for part in each.parts().values()]
        assert sum(map(len, sets)) == len(set().union(*sets))


def test_folds_and_their_validation_keep_the_share_of_each_class() -> None:
    classes = np.repeat([0, 1], [80, 20])
    for fold in make_folds(
        options("kfold", folds=5),
        SplitConstraints(classes, None, 100),
        np.arange(100),
        validation=0.25,
        seed=Seed(1, 2),
    ):
        for part in fold.split.parts().values():
            assert classes[part].mean() == 0.2


def test_groups_are_cut_near_the_wanted_size_and_share() -> None:
    random = np.random.default_rng(0)
    groups, classes = random.integers(0, 60, 600), random.integers(0, 2, 600)
    one, other = cut(np.arange(600), 480, SplitConstraints(classes, None, 600, groups), classes, 3)
    assert abs(len(one) - 480) < 30
    assert abs(classes[one].mean() - classes[other].mean()) < 0.1


def test_one_group_cannot_be_cut() -> None:
    source = SplitConstraints(None, None, 20, np.zeros(20, int))
    with pytest.raises(DataError, match="20 rows of one group cannot be split"):
        cut(np.arange(20), 10, source, None, 1)
    with pytest.raises(ConfigError, match="3 folds need at least 3 groups, and column 'site' has 1"):
        make_folds(
            options("group_kfold", folds=3, group="site"), source, np.arange(20), validation=0.2, seed=Seed(1, 2)
        )


@settings(max_examples=30, deadline=None)
@given(
    times=st.lists(st.integers(0, 60).map(float), min_size=30, max_size=90),
    count=st.integers(2, 5),
    gap=st.sampled_from([0.0, 1.0]),
)
def test_each_fold_scores_what_comes_after_its_rows(times: list[float], count: int, gap: float) -> None:
    when = np.array(times)
    source = SplitConstraints(None, None, len(when), times=when)
    try:
        found = make_folds(
            options("time", folds=count), source, np.arange(len(when)), validation=0.25, seed=Seed(1, 2), gap=gap
        )
    except DataError:  # too few different times
        reject()
    assert len(found) == count
    for fold in found:
        train, validation, test = (when[rows] for rows in fold.split.parts().values())
        assert validation.min() - train.max() >= max(gap, np.nextafter(0, 1))
        assert test.min() - validation.max() >= max(gap, np.nextafter(0, 1))
    scored = np.concatenate([fold.split.test for fold in found])
    assert len(np.unique(scored)) == len(scored)
    assert when[scored].max() == when.max()


def test_folds_of_different_times_are_those_of_scikit_learn() -> None:
    when = np.random.default_rng(0).permutation(60).astype(float)
    rows = np.argsort(when)
    source = SplitConstraints(None, None, 60, times=when)
    found = make_folds(options("time", folds=5), source, np.arange(60), validation=0.2, seed=Seed(1, 2))
    for fold, (train, test) in zip(found, TimeSeriesSplit(5).split(rows), strict=True):
        assert set(fold.split.test) == set(rows[test])
        assert {*fold.split.train, *fold.split.validation} == set(rows[train])
