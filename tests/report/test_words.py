from __future__ import annotations

from typing import Any

import pytest

from dltrain.record.signature import Column, Signature
from dltrain.report.words import main_metric, scored_parts, summary

SIGNATURE = Signature((Column("age", "numeric", "age"),), ("survived",), "binary", ("no", "yes"))
ROWS = {"train": 1_200, "validation": 400, "test": 400}
FACTS: dict[str, Any] = {"data": {"name": "titanic"}, "trainable_parameters": 4321, "choices": {"model": "mlp"}}
ONCE: dict[str, Any] = {"epochs": 9, "best_epoch": 4, "train": {"loss": 0.3, "auc": 0.9}, "validation": {"auc": 0.8}}


def test_the_last_scored_part_counts_and_its_first_metric() -> None:
    assert scored_parts({"test": {}, "train": {}, "epochs": 3}) == ["train", "test"]
    assert main_metric({"train": {"auc": 1}, "test": {"loss": 0.1, "recall": 0.5, "auc": 1}}) == "recall"
    assert main_metric({"validation": {"loss": 0.1}}) == "loss"


def test_a_run_without_a_test_part_is_told_with_its_bias(record_of: Any) -> None:
    metrics = ONCE | {
        "intervals": {"validation": {"auc": [0.7, 0.9]}},
        "baselines": {"majority": {"validation": {"auc": 0.5}}},
    }
    text = " ".join(summary(record_of(FACTS, metrics), SIGNATURE, metrics, ROWS))
    assert (
        "The model mlp with 4,321 trainable weights was trained on 1,200 rows of titanic (1 column) to tell no from yes"
        in text
    )
    assert "the weights of epoch 4 are kept: there the validation part's loss was best." in text
    assert "On 400 validation rows it reaches auc 0.8000 (95 % interval 0.7000 to 0.9000)." in text
    assert "Simple models reach 0.5000 (majority) on the same rows." in text
    assert "The validation value is a little too good" in text


@pytest.mark.parametrize(("scorings", "told"), [(1, False), (3, True)])
def test_a_test_part_that_was_scored_again_is_no_test_of_what_was_chosen(
    record_of: Any, scorings: int, told: bool
) -> None:
    metrics = ONCE | {"test": {"loss": 0.4, "auc": 0.75}}
    record = record_of(FACTS | {"test_scorings": [{}] * scorings}, metrics)
    text = " ".join(summary(record, SIGNATURE, metrics, ROWS))
    assert "On 400 test rows, which nothing in the training has seen, it reaches auc 0.7500." in text
    assert "400 test rows are few" in text
    assert ("was scored 2 more times since" in text) is told
