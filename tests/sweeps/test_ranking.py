from __future__ import annotations

from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.ranking import cautions


def entry(
    job: str, *words: str, monitor: str = "val_loss", data: str = "a", names: tuple[str, ...] = ("accuracy",)
) -> Entry:
    metrics: dict[str, float | None] = {"loss": 0.5, **dict.fromkeys(names, 0.75)}
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


def test_a_metric_to_compare_by_is_one_that_every_job_has() -> None:
    quantiles, normal = ("pinball", "coverage", "rmse"), ("rmse", "log_likelihood")
    jobs = [
        entry("0", "task=quantile_regression", names=quantiles),
        entry("1", "task=gaussian_regression", names=normal),
    ]
    (told,) = cautions(jobs)
    assert told.endswith(" Compare by another: task.monitor=val_rmse.")
    (told,) = cautions([entry("0", "task=a", names=("x",)), entry("1", "task=b", names=("y",))])
    assert told.endswith("differ in task.")
