"""Describes a run in plain words: what was trained on what, how good it is, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.base.notes import counted
from dltrain.base.plain_table import number
from dltrain.record.record import Record
from dltrain.record.signature import Signature
from dltrain.report.repetitions import Repetitions, read_repetitions
from dltrain.scoring.comparison import Difference

FEW_ROWS = 500


def scored_parts(metrics: Mapping[str, Any]) -> list[str]:
    """Returns the parts that were scored; the last one is the one that counts."""
    return [part for part in ("train", "validation", "test") if part in metrics]


def main_metric(metrics: Mapping[str, Any]) -> str:
    """Returns the metric that a run is judged by: the first of its task."""
    part = metrics[scored_parts(metrics)[-1]]
    return next((name for name in part if name != "loss"), "loss")


def summary(record: Record, signature: Signature, metrics: Mapping[str, Any], rows: Mapping[str, int]) -> list[str]:
    """Returns sentences on what was trained, its scores and their uncertainty; `rows` counts the rows of each part."""
    repeated = read_repetitions(record)
    scored = [_scored(metrics, rows)] if repeated is None else _repeated(repeated, metrics, rows)
    sentences = [_trained(record, signature, rows), *scored]
    if "difference" in metrics:
        compared = "Row by row compared, it" if repeated is None else "Compared with the baselines, it"
        sentences.append(f"{compared} {Difference.of(metrics['difference']).sentence()}.")
    return [*sentences, *_uncertainty(record, rows)]


def _trained(record: Record, signature: Signature, rows: Mapping[str, int]) -> str:
    facts = record.facts
    target = ", ".join(signature.target)
    names, count = " from ".join(signature.classes), len(signature.classes)
    what = signature.kind.purpose.format(names=names, count=count, target=target)
    model = record.choices.get("model") or str(record.settings.get("model._target_", "model")).rpartition(".")[2]
    size = f" with {facts['trainable_parameters']:,} trainable weights" if "trainable_parameters" in facts else ""
    columns = len(signature.columns)
    return (
        f"The model {model}{size} was trained on {rows['train']:,} rows of {facts['data']['name']} "
        f"({columns} column{'s' if columns != 1 else ''}) {what}. {_kept(record)}"
    )


def _kept(record: Record) -> str:
    metrics = record.metrics
    if record.members:
        return (
            f"It is the weighted mean of {counted(len(record.members), 'job')} of a search, chosen by their "
            "predictions of rows that they were not trained on."
        )
    if record.settings.get("cv.ensemble"):
        return "It is the mean of the models of the folds."
    if record.folds is not None:
        return f"It was trained for {metrics['epochs']} epochs, the median of what was best for the folds."
    if record.seeds is not None:
        return (
            "The seeds drew other parts and other weights; model.keras and what is told below of epochs, rows and "
            f"layers are those of the first one, {record.seeds['runs'][0]['seed']}."
        )
    monitor = str(record.settings.get("task.monitor") or "val_loss")
    what = f"the validation part's {monitor.removeprefix('val_')}" if monitor.startswith("val_") else monitor
    kept = f"Of {metrics['epochs']} epochs, the weights of epoch {metrics['best_epoch']} are kept"
    return f"{kept}: there {what} was best."


def _repeated(found: Repetitions, metrics: Mapping[str, Any], rows: Mapping[str, int]) -> list[str]:
    name = main_metric(metrics)
    unseen = "rows that no training of a fold had seen" if found.what == "folds" else f"{found.part} rows"
    sentences = [
        f"Over {found.over}, each scored on {unseen}, it reaches {name} {number(found.mean.get(name))} ± "
        f"{number(found.deviation.get(name))} (mean and standard deviation)."
    ]
    if known := found.baseline_means(name):
        listed = ", ".join(f"{number(value)} ({each})" for each, value in known.items())
        sentences.append(f"Simple models reach {listed} in the mean of the same {found.what}.")
    if found.what == "folds" and "test" in metrics:
        sentences.append(_scored(metrics, rows))
    return sentences


def _scored(metrics: Mapping[str, Any], rows: Mapping[str, int]) -> str:
    part, name = scored_parts(metrics)[-1], main_metric(metrics)
    interval = metrics.get("intervals", {}).get(part, {}).get(name)
    seen = ", which nothing in the training has seen," if part == "test" else ""
    sure = f" (95 % interval {number(interval[0])} to {number(interval[1])})" if interval else ""
    said = f"On {rows[part]:,} {part} rows{seen} it reaches {name} {number(metrics[part][name])}{sure}."
    known = {
        each: scores[part][name]
        for each, scores in metrics.get("baselines", {}).items()
        if name in scores.get(part, {})
    }
    listed = ", ".join(f"{number(value)} ({each})" for each, value in known.items())
    return f"{said} Simple models reach {listed} on the same rows." if known else said


def _uncertainty(record: Record, rows: Mapping[str, int]) -> list[str]:
    metrics = record.metrics
    if "test" not in metrics and record.folds is not None:
        return ["The test part was not scored. No fold was scored by a model that had seen its rows."]
    if "test" not in metrics:
        return [
            "The test part was not scored. The validation value is a little too good, since the epoch was chosen by it."
        ]
    sentences = [
        "The intervals hold for this split and this seed: another seed gives another network, and that spread is not "
        "in them."
    ]
    if record.seeds is not None:
        sentences = ["The intervals further below are of the first seed alone, without the spread between seeds."]
    if rows["test"] < FEW_ROWS:
        sentences.append(f"{rows['test']:,} test rows are few; do not read much into the third digit.")
    once = 1 if record.seeds is None else len(record.seeds["runs"])  # every seed scores a test part of its own
    again = len(record.facts.get("test_scorings", [])) - once
    if again > 0:
        sentences.append(
            f"The test part, or other rows, was scored {again} more time{'s' if again > 1 else ''} since: "
            "what was chosen by that is no longer tested by it."
        )
    return sentences
