from __future__ import annotations

from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.ranking import cautions


def entry(job: str, *words: str, monitor: str = "val_loss", data: str = "a") -> Entry:
    metrics: dict[str, float | None] = {"loss": 0.5, "accuracy": 0.75}
    return Entry(job, overrides=list(words), status="completed", monitor=monitor, value=0.5, metrics=metrics, data=data)


def test_values_that_do_not_compare_are_told() -> None:
    assert cautions([entry("0", "optimizer=adam"), entry("1", "optimizer=sgd")]) == []
    (told,) = cautions([entry("0", "regularizer=none"), entry("1", "regularizer=l2")])
    assert told.startswith("val_loss is not the same sum in jobs that differ in regularizer. ")
    assert told.endswith(" Compare by another: task.monitor=val_accuracy.")
    accuracy = [entry(str(place), f"regularizer={name}", monitor="val_accuracy") for place, name in enumerate("ab")]
    assert cautions(accuracy) == []
    assert cautions([entry("0"), entry("1", data="b")]) == [
        "the jobs have different data, and their values compare only as far as the rows are the same."
    ]
    (told,) = cautions([entry("0"), entry("1", monitor="val_accuracy")])
    assert told.startswith("the jobs go by different values (val_loss, val_accuracy)")
