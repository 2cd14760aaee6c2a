"""Finds what needs the model and the raw rows: importance of columns, worst mistakes, layers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from omegaconf import DictConfig

from dltrain.data.answers import name_answers
from dltrain.data.dataset import Dataset
from dltrain.data.targets import Target
from dltrain.engine.layer_statistics import look_at_layers
from dltrain.models.network import build_loss
from dltrain.preprocessing.prepared import Prepared

REPEATS = 5
MOST_ROWS = 1_000  # of the validation part, for the importance
MOST_CELLS = 4_000_000  # that the model gets for the importance
LEAST_ROWS = 50  # for the importance
MISTAKES = 10
LAYER_ROWS = 256
LONGEST_TEXT = 300

Answer = Callable[[Dataset], npt.NDArray[np.float32]]


def insights_of_run(data: Prepared, network: keras.Model, task: DictConfig, seed: int) -> dict[str, Any]:
    """Returns the content of insights.json, with the layers; `network` has the weights that were kept."""

    def answer(dataset: Dataset) -> npt.NDArray[np.float32]:
        return np.asarray(network(data.preprocessing.transform(dataset), training=False))

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

    answers = answer(raw)
    each = losses(truth, answers)
    worst = np.argsort(-each, kind="stable")[:MISTAKES]
    return {
        "part": "validation",
        "rows": len(raw),
        "importance": _importance(raw, truth, answer, losses, seed),
        "mistakes": _mistakes(raw.take(worst), truth.take(worst), answers[worst], each[worst]),
    }


def _importance(
    raw: Dataset, truth: Target, answer: Answer, losses: Callable[..., npt.NDArray[np.float64]], seed: int
) -> dict[str, Any]:
    """Measures by how much the loss rises if one column is shuffled among the rows (Breiman 2001)."""
    names = list(raw.columns)
    width = sum(int(np.prod(cells.shape[1:])) for cells in raw.columns.values())
    count = min(len(raw), MOST_ROWS, MOST_CELLS // (REPEATS * len(names) * width))
    if len(names) == 1:
        return {"left_out": f"The model has one column alone, {names[0]}."}
    if count < min(LEAST_ROWS, len(raw)):
        return {"left_out": f"{len(names):,} columns are too many to shuffle one after the other."}
    random = np.random.default_rng(seed)
    if count < len(raw):
        kept = random.choice(len(raw), count, replace=False)
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


def _mistakes(
    raw: Dataset, truth: Target, answers: npt.NDArray[np.float32], losses: npt.NDArray[np.float64]
) -> list[dict[str, Any]]:
    named = name_answers(truth.kind, truth.classes, answers, 0.5)
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
