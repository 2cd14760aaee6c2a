from __future__ import annotations

from typing import Any

from dltrain.report.evidence import Evidence


def evidence(**scores: Any) -> Evidence:
    history = [{"loss": 2.0, "val_loss": 3.0}, {"loss": 1.0}]
    return Evidence(history, scores, {}, {"train": 8, "validation": 4}, best_epoch=1)


def test_the_main_metric_is_the_first_that_has_a_best_value_and_was_measured() -> None:
    both = {"loss": 0.5, "accuracy": None, "auc": 0.8, "f1": 0.7}
    assert evidence(train=both, validation=both).metric == "auc"
    assert evidence(train={"loss": 0.5, "f1": 0.7}, validation=both).metric == "f1"
    assert evidence(train={"loss": 0.5}, validation={"loss": 0.6, "accuracy": 0.9}).metric == "loss"


def test_a_curve_leaves_out_epochs_without_a_value() -> None:
    seen = evidence(train={}, validation={})
    assert seen.curve("loss") == [2, 1]
    assert seen.curve("val_loss") == [3]
    assert seen.curve("auc") == []
