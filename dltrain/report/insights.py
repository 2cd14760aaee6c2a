"""Finds what needs the model and the raw rows: importance of columns, worst mistakes, layers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from omegaconf import DictConfig

from dltrain.data.answers import THRESHOLD, name_answers
from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target
from dltrain.engine.layer_statistics import look_at_layers
from dltrain.models.network import build_loss
from dltrain.preprocessing.prepared import Prepared

REPEATS = 5
MOST_ROWS = 1_000  # of the validation part, for the importance
LEAST_ROWS = 50  # for the importance
MOST_SECONDS = 1.5  # for the importance
MOST_ANSWERED = 20_000  # rows of the validation part, for the mistakes
BYTES_AT_ONCE = 2**22  # of features
MISTAKES = 10
NEAR_MISSES = 5
NEAR = 0.2  # how far in probability the answer of a near miss is at most ahead of the next
LAYER_ROWS = 256
LONGEST_TEXT = 300

Answer = Callable[[Dataset], npt.NDArray[np.float32]]


def insights_of_run(data: Prepared, network: keras.Model, task: DictConfig, seed: int) -> dict[str, Any]:
    """Returns the content of insights.json, with the layers; `network` has the weights that were kept."""
    size = max(1, BYTES_AT_ONCE // data.preprocessing.bytes_per_row)

    def answer(dataset: Dataset) -> npt.NDArray[np.float32]:
        features = data.preprocessing.transform(dataset)
        blocks = (
            {name: cells[first : first + size] for name, cells in features.items()}
            for first in range(0, len(dataset), size)
        )
        return np.concatenate([np.asarray(network(block, training=False)) for block in blocks])

    found = insights(data.raw("validation"), data.truth("validation"), answer, task, seed)
    raw, truth = data.raw("train"), data.truth("train")
    rows = np.random.default_rng(seed).permutation(len(raw))[:LAYER_ROWS]
    features = data.preprocessing.transform(raw.take(rows))
    layers = look_at_layers(network, features, truth.take(rows).column, training=False)
    return {**found, "layers": [asdict(layer) for layer in layers], "layer_rows": len(rows)}


def insights(raw: Dataset, truth: Target, answer: Answer, task: DictConfig, seed: int) -> dict[str, Any]:
    """Returns the importance of the raw columns and the worst mistakes, both on rows of the validation part.

    `answer` predicts for raw rows; `seed` decides the shuffling.
    """
    loss = build_loss(task, truth)

    def losses(part: Target, answers: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        each: npt.NDArray[np.float64] = np.asarray(loss.call(part.column, answers), np.float64)
        means: npt.NDArray[np.float64] = each.reshape(len(answers), -1).mean(axis=1)
        return means

    everything = len(raw)
    if everything > MOST_ANSWERED:
        kept = np.random.default_rng(seed).permutation(everything)[:MOST_ANSWERED]
        raw, truth = raw.take(kept), truth.take(kept)
    answers = answer(raw)
    each = losses(truth, answers)
    leads = lead(truth, answers)
    worst = [row for row in np.argsort(-each, kind="stable") if leads[row] < 0]
    near = [row for row in np.argsort(leads, kind="stable") if 0 <= leads[row] <= NEAR]
    shown, close = np.array(worst[:MISTAKES], np.intp), np.array(near[:NEAR_MISSES], np.intp)
    return {
        "part": "validation",
        "rows": everything,
        "answered": len(raw),
        "wrong": len(worst),
        "importance": _importance(raw, truth, answer, losses, seed),
        "mistakes": _mistakes(raw.take(shown), truth.take(shown), answers[shown], each[shown]),
        "near_misses": _mistakes(raw.take(close), truth.take(close), answers[close], each[close]),
    }


def lead(truth: Target, answers: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Returns by how much the probability of the true answer is ahead of the next one, shape (rows,).

    It is below 0 where the answer is wrong, for several labels where one is, and everywhere for a quantity.
    """
    if not truth.classes:
        return np.full(len(answers), -np.inf)
    given = answers.astype(np.float64)
    if truth.kind.several_classes:
        true = np.arange(len(given)), truth.values.astype(np.intp)
        right, of_true = given.argmax(axis=1) == truth.values, given[true]
        given[true] = -np.inf
        gap = np.abs(of_true - given.max(axis=1))
    else:  # a class or label against what is left of 1
        right, gap = (given > THRESHOLD) == (truth.column == 1), np.abs(2 * given - 2 * THRESHOLD)
    ahead: npt.NDArray[np.float64] = np.where(right, gap, -np.maximum(gap, 1e-12)).reshape(len(given), -1).min(axis=1)
    return ahead


def _importance(
    raw: Dataset, truth: Target, answer: Answer, losses: Callable[..., npt.NDArray[np.float64]], seed: int
) -> dict[str, Any]:
    """Measures by how much the loss rises if one column is shuffled among the rows (Breiman 2001)."""
    names = list(raw.columns)
    if len(names) == 1:
        return {}
    random = np.random.default_rng(seed)
    order = random.permutation(len(raw)) if len(raw) > MOST_ROWS else np.arange(len(raw))
    count = affordable_rows(raw.take(order[:MOST_ROWS]), answer, len(names))
    if not count:
        many = f"{len(names):,} columns are too many to shuffle one after the other in {MOST_SECONDS} s."
        return {"left_out": many}
    if count < len(raw):
        kept = np.sort(order[:count])
        raw, truth = raw.take(kept), truth.take(kept)
    before = truth.mean(losses(truth, answer(raw)))
    several = np.tile(np.arange(count), REPEATS)
    copies, truths = raw.take(several), truth.take(several)
    columns = []
    for name in names:
        order = np.concatenate([random.permutation(count) for _ in range(REPEATS)])
        shuffled = replace(copies, columns={**copies.columns, name: raw.columns[name][order]})
        shuffled_losses = losses(truths, answer(shuffled)).reshape(REPEATS, count)
        rises = np.average(shuffled_losses, axis=1, weights=truth.weights) - before
        columns.append({"column": name, "mean": float(rises.mean()), "sd": float(rises.std(ddof=1))})
    columns.sort(key=lambda column: -column["mean"])  # type: ignore[operator]
    return {"rows": count, "repeats": REPEATS, "loss": before, "columns": columns}


def affordable_rows(raw: Dataset, answer: Answer, columns: int) -> int:
    """Returns with how many of the rows all columns can be shuffled in MOST_SECONDS; 0 if not even with LEAST_ROWS.

    Answers for few rows are measured first, so that a slow model is not measured for long.
    """
    count = min(len(raw), LEAST_ROWS)
    while True:
        copies = raw.take(np.tile(np.arange(count), REPEATS))
        wall, processor = time.perf_counter(), time.process_time()
        answer(copies)
        # Processor time leaves out what other programs take; that of many cores is more than the time that passes.
        took = min(time.perf_counter() - wall, time.process_time() - processor)
        affordable = int(min(len(raw), count * MOST_SECONDS / max(1e-9, took * columns)))
        if affordable <= count:
            return affordable if affordable == count else 0
        if affordable == len(raw) or affordable < 2 * count:
            return affordable
        count = min(affordable, 4 * count)


def _mistakes(
    raw: Dataset, truth: Target, answers: npt.NDArray[np.float32], losses: npt.NDArray[np.float64]
) -> list[dict[str, Any]]:
    named = name_answers(truth.kind, truth.classes, answers, THRESHOLD)
    rows = []
    for place in range(len(raw)):
        cells: dict[str, str] = {}
        images: dict[str, str] = {}
        for name, values in raw.columns.items():
            if raw.kinds[name] == "image":
                images[name] = _png(values[place])
            else:
                cells[name] = _cell(values[place])
        told = {"row_id": str(raw.row_ids[place]), "loss": float(losses[place]), **_said(truth, named, place)}
        rows.append({**told, "columns": cells, "images": images})
    return rows


def _said(truth: Target, named: Mapping[str, npt.NDArray[Any]], place: int) -> dict[str, Any]:
    """Returns the target and the prediction of a row in words."""
    value = truth.values[place]
    if truth.kind.labels:
        true = [label for label, given in zip(truth.classes, value, strict=True) if given]
        guessed = [label for label in truth.classes if named[f"prediction_{label}"][place]]
        return {"target": ", ".join(true) or "none", "prediction": ", ".join(guessed) or "none", "probability": None}
    if not truth.classes:
        return {"target": f"{value:.6g}", "prediction": f"{named['prediction'][place]:.6g}", "probability": None}
    says = str(named["prediction"][place])
    probability = float(named[f"probability_{says}"][place])
    return {"target": truth.classes[int(value)], "prediction": says, "probability": probability}


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.6g}"
    text = str(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"


def _png(pixels: npt.NDArray[Any]) -> str:
    image = pixels if pixels.shape[-1] in (1, 3, 4) else pixels[..., :1]
    encoded = tf.io.encode_png(tf.constant(image)).numpy()
    return f"data:image/png;base64,{base64.b64encode(encoded).decode()}"
