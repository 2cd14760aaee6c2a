from __future__ import annotations

from typing import Any

import pytest

from dltrain.base.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("task=regression", "calibration=auto"), "calibration has no effect with task=regression"),
        (("task=multiclass", "threshold=f1"), "threshold has no effect with task=multiclass"),
        (("task=multilabel", "conformal=0.9"), "conformal has no effect with task=multilabel"),
        (("conformal=1.0",), "conformal: expected a number"),
        (("calibration=platt",), "calibration: there is no option 'platt'. Choose from auto"),
        (("task=quantile_regression", "conformal=0.9", "cv=kfold"), "Add cv.ensemble=true, or leave cv out"),
        (("task=quantile_regression", "task.quantiles=[0.9,0.1]"), "task.quantiles: expected ascending shares"),
        (("task=regression", "+task.quantiles=[0.1]"), "task.quantiles has no effect with task=regression"),
        (("threshold=f1", "+threshold.false_positive_cost=2"), "threshold.false_positive_cost has no effect with"),
        (("threshold=cost", "threshold.false_positive_cost=-1"), "threshold.false_positive_cost: expected a number"),
        (
            ("calibration=auto", "conformal=0.9", "split=no_test", "split.validation=null"),
            "calibration and conformal: expected validation rows to be fitted on",
        ),
    ],
)
def test_what_has_no_effect_is_refused(compose_config: Any, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compose_config(*words)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        ("calibration=auto", "threshold=cost", "conformal=0.9"),
        ("task=gaussian_regression", "conformal=0.9"),
        ("task=quantile_regression", "conformal=0.9", "cv=kfold", "cv.ensemble=true"),
        ("task=multiclass", "calibration=isotonic", "conformal=0.9", "cv=kfold"),
    ],
)
def test_what_has_an_effect_is_taken(compose_config: Any, words: tuple[str, ...]) -> None:
    compose_config(*words)
