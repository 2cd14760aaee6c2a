from __future__ import annotations

from typing import Any

import pytest

from dltrain.base.errors import ConfigError

TABLE = ("dataset=csv", "dataset.path=t.csv", "dataset.target=y", "model=mlp")
TIME = ("split=time", "split.column=day")
GROUP = ("split=group", "split.column=site")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("cv=time",), "Add split=time split.column=COLUMN."),
        ((*TIME, "cv=kfold"), "cv=kfold would draw its folds at random, and split=time goes by time. Use cv=time."),
        ((*GROUP, "cv=kfold"), "Use cv=group_kfold cv.group=site."),
        ((*GROUP, "cv=group_kfold", "cv.group=town"), "cv.group=town: expected the column of split=group"),
        ((*GROUP, "dataset.kinds.site=category"), "add split.group_is_feature=true."),
        (("cv=group_kfold", "cv.group=site", "dataset.kinds.site=text"), "add cv.group_is_feature=true."),
        (("cv=kfold", "+cv.group_is_feature=true"), "cv.group_is_feature has no effect with cv=kfold"),
        ((*TIME, "split.gap=-1"), "split.gap: expected a number of at least 0, got -1."),
        ((*TIME, "split.train=0.9"), "expected three shares that add up to 1"),
        (("split=time",), "split.column: expected a value, got none"),
    ],
)
def test_what_does_not_fit_is_refused(compose_config: Any, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose_config(*TABLE, *words)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        (*TIME, "cv=time"),
        ("split=time", "split.column=[year,month]", "split.gap=2"),
        (*GROUP, "cv=group_kfold", "cv.group=site"),
        (*GROUP, "dataset.kinds.site=ignore"),
        (*GROUP, "dataset.kinds.site=category", "split.group_is_feature=true"),
    ],
)
def test_what_fits_is_taken(compose_config: Any, words: tuple[str, ...]) -> None:
    compose_config(*TABLE, *words)
