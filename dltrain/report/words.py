"""Describes a run in plain words: what was trained on what, how good it is, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dltrain.record.record import Record
from dltrain.record.signature import Signature
from dltrain.scoring.comparison import Difference

FEW_ROWS = 500


def number(value: float | None) -> str:
    """Formats a metric for people; None and NaN give an empty text."""
    if value is None or value != value:
        return ""
    return f"{value:.4f}" if abs(value) < 1_000 else f"{value:,.1f}" if abs(value) < 1e9 else f"{value:.4g}"


def scored_parts(metrics: Mapping[str, Any]) -> list[str]:
    """Returns the parts that were scored; the last one is the one that counts."""
    return [part for part in ("train", "validation", "test") if part in metrics]


def main_metric(metrics: Mapping[str, Any]) -> str:
    """Returns the metric that a run is judged by: the first of its task."""
    part = metrics[scored_parts(metrics)[-1]]
    return next((name for name in part if name != "loss"), "loss")


def summary(record: Record, signature: Signature, metrics: Mapping[str, Any], rows: Mapping[str, int]) -> list[str]:
    """Returns sentences on what was trained, its scores and their uncertainty; `rows` counts the rows of each part."""
    return [_trained(record, signature, rows), *_scored(metrics, rows), *_uncertainty(record, rows)]


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
    if record.settings.get("cv.ensemble"):
        return "It is the mean of the models of the folds."
    if record.folds is not None:
        return f"It was trained for {metrics['epochs']} epochs, the median of what was best for the folds."
    monitor = str(record.settings.get("task.monitor") or "val_loss")
    what = f"the validation part's {monitor.removeprefix('val_')}" if monitor.startswith("val_") else monitor
    kept = f"Of {metrics['epochs']} epochs, the weights of epoch {metrics['best_epoch']} are kept"
    return f"{kept}: there {what} was best."


def _scored(metrics: Mapping[str, Any], rows: Mapping[str, int]) -> list[str]:
    part, name = scored_parts(metrics)[-1], main_metric(metrics)
    interval = metrics.get("intervals", {}).get(part, {}).get(name)
    seen = ", which nothing in the training has seen," if part == "test" else ""
    sure = f" (95 % interval {number(interval[0])} to {number(interval[1])})" if interval else ""
    sentences = [f"On {rows[part]:,} {part} rows{seen} it reaches {name} {number(metrics[part][name])}{sure}."]
    known = {
        each: scores[part][name]
        for each, scores in metrics.get("baselines", {}).items()
        if name in scores.get(part, {})
    }
    if known:
        listed = ", ".join(f"{number(value)} ({each})" for each, value in known.items())
        sentences.append(f"Simple models reach {listed} on the same rows.")
    if "difference" in metrics:
        sentences.append(f"Row by row compared, it {Difference.of(metrics['difference']).sentence()}.")
    return sentences


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
    if rows["test"] < FEW_ROWS:
        sentences.append(f"{rows['test']:,} test rows are few; do not read much into the third digit.")
    again = len(record.facts.get("test_scorings", [])) - 1
    if again > 0:
        sentences.append(
            f"The test part, or other rows, was scored {again} more time{'s' if again > 1 else ''} since: "
            "what was chosen by that is no longer tested by it."
        )
    return sentences
