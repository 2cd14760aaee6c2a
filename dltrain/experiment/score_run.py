"""Scores every part at the end of a run, with the uncertainty of every number, and writes its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
from omegaconf import DictConfig

from dltrain.base.files import replace_file
from dltrain.base.spreadsheet import neutral
from dltrain.config.model_rules import FLATTERED, holds_train_rows
from dltrain.config.seed import Seed
from dltrain.config.split_rules import is_in_time
from dltrain.data.answers import name_answers
from dltrain.data.targets import Target
from dltrain.engine.engine import Engine
from dltrain.experiment.decisions import Decisions, sentences
from dltrain.experiment.journal import Journal
from dltrain.models.monte_carlo import with_passes
from dltrain.models.network import build_loss, build_metrics, loss_and_metrics
from dltrain.preprocessing.prepared import Prepared
from dltrain.record.signature import FILE as SIGNATURE_FILE
from dltrain.record.signature import describe
from dltrain.record.trust import MODEL, remember
from dltrain.scoring.baseline_scores import score_baselines
from dltrain.scoring.comparison import compare
from dltrain.scoring.evaluation import (
    Results,
    Scores,
    exact_areas,
    intervals,
    name_of_area,
    score,
    undefined,
    without_interval,
)
from dltrain.scoring.exact_area import is_exact
from dltrain.training.train import Training

CHUNK_ROWS = 100_000  # written at once


def predict_parts(
    data: Prepared, network: keras.Model, training: Training, *, task: DictConfig, parts: Sequence[str], seed: Seed
) -> tuple[keras.Model, dict[str, Scores], dict[str, npt.NDArray[np.float32]]]:
    """Returns the network that predicts, its metrics and its predictions (rows, units), both by part.

    With Monte-Carlo dropout the network is another one, which drops units by `seed`.
    """
    sources = {part: data.source(part) for part in parts}
    engine, passes = training.engine, task.get("monte_carlo_dropout")
    fresh = build_metrics(task, data.target)
    if passes:
        network = with_passes(network, passes, seed.stream("passes"))
        network.compile(**loss_and_metrics(task, data.target))
        engine = Engine(network, batch_size=engine.batch_size, shuffle=False, seed=0)
    metrics = {part: engine.evaluate(source) for part, source in sources.items()}
    answers = {part: engine.predict(source) for part, source in sources.items()}
    # The network's own areas are binned, as they must be within epochs.
    exact = {part: exact_areas(fresh, data.truth(part), given) for part, given in answers.items()}
    return network, {part: metrics[part] | exact[part] for part in parts}, answers


def monitored(training: Training, metrics: dict[str, Scores], *, task: DictConfig, target: Target) -> float:
    """Returns the monitored value of the best epoch; an area of the validation part is the exact one."""
    name = task.monitor.removeprefix("val_")
    exact = [metric.name for metric in build_metrics(task, target) if is_exact(metric, target)]
    if task.monitor.startswith("val_") and name in exact and "validation" in metrics:
        return metrics["validation"][name]
    return training.history[training.best_epoch - 1].get(task.monitor, float("nan"))


def parts_to_score(data: Prepared, *, with_test: bool, journal: Journal) -> list[str]:
    """Returns the parts that have rows; the test part is included after its scoring was recorded."""
    parts = ["train", "validation"] if len(data.split.validation) else ["train"]
    if with_test and len(data.split.test):
        data.unseal_test(journal.directory.record_test_scoring)
        parts.append("test")
    return parts


def write_model(model: keras.Model, data: Prepared, journal: Journal, decisions: Decisions) -> None:
    """Writes model.keras, with the calibration, and signature.json, with threshold and intervals."""
    target = data.target
    model = decisions.joined_to(model, target)
    signature = describe(
        data.raw("train"),
        task=target.task,
        classes=target.classes,
        offset=target.offset,
        scale=target.scale,
        known_words=data.preprocessing.known_words,
        source=journal.config.dataset,
        threshold=decisions.threshold,
        quantiles=target.quantiles,
        knots=target.knots,
        conformal=None if decisions.conformal is None else decisions.conformal.as_json(),
    )
    journal.directory.write_json(SIGNATURE_FILE, signature.as_json())
    with replace_file(journal.path / "model.keras") as path:
        model.save(path)
    remember(journal.path / MODEL)


def score_answers(
    data: Prepared,
    metrics: dict[str, Scores],
    answers: dict[str, npt.NDArray[np.float32]],
    *,
    task: DictConfig,
    penalty: float,
    seed: Seed,
    journal: Journal,
    decisions: Decisions,
) -> Results:
    """Adds intervals and baselines to metrics, and writes predictions.csv; the results hold no epochs yet.

    `answers` holds the predictions (rows, units) of each part, `penalty` the regularization loss, and `seed` decides
    the resampling. Where `decisions` change predictions, the metrics are computed anew.
    """
    parts = list(answers)
    plain = fresh = build_metrics(task, data.target)
    truth = {part: data.truth(part) for part in parts if decisions.fitted}
    before = answers
    if decisions.recalibrates or decisions.criterion is not None:
        fresh = build_metrics(task, data.target, None if decisions.criterion is None else decisions.threshold)
        answers = decisions.applied(answers, data.target)
        loss = build_loss(task, data.target)
        for part, given in answers.items():
            of_rows = float(loss(truth[part].column, given, sample_weight=truth[part].relative_weights))
            metrics[part] = {"loss": of_rows + penalty, **score(fresh, truth[part], given)}
    decided = decisions.as_json(truth, before, answers)
    notes = _mark_undefined(metrics, fresh, data)
    areas = [metric.name for metric in fresh if is_exact(metric, data.target)]
    if areas:
        notes.append(f"{', '.join(areas)}: exact here; within epochs (history.csv, curves) over thresholds.")
    sure = {}
    if "test" in parts:
        loss = build_loss(task, data.target)
        sure["test"] = intervals(fresh, loss, data.truth("test"), answers["test"], seed.stream("intervals"), penalty)
        notes.append("The intervals are of 95 %, for this split and this seed alone.")
        reasons = without_interval(fresh, data.truth("test"))
        notes += [f"No interval of {name}: {reason}." for name, reason in reasons.items()]
        if lacking := sorted(set(metrics["test"]) - set(sure["test"]) - set(reasons)):
            notes.append(f"No interval of {', '.join(lacking)} can be told from these test rows.")
    if holds_train_rows(journal.config.model["_target_"]):
        notes.append(FLATTERED)
    last = parts[-1]
    told = [_below(data.truth(last), answers[last], last)] if data.target.quantiles else []
    told += sentences(decided, data.target.kind, is_in_time(journal.config.split))
    notes += told
    if told:
        decided["notes"] = told
    _write_predictions(data, answers, journal, decisions)
    scores, simple = score_baselines(data, parts, plain, seed.stream("baselines"))
    return Results(
        metrics=metrics,
        intervals=sure,
        baselines=scores,
        difference=compare(
            last,
            data.truth(last),
            answers[last],
            simple,
            seed.stream("comparison"),
            area=name_of_area(fresh),
            threshold=decisions.threshold,
        ),
        notes=notes,
        best_epoch=0,
        epochs=0,
        best_value=float("nan"),
        monitor=task.monitor,
        exact=areas,
        decisions=decided,
    )


def _below(truth: Target, answers: npt.NDArray[np.float32], part: str) -> str:
    """Says which share of the rows of a part lies below each quantile."""
    order = np.argsort(truth.quantiles)
    shares = [truth.mean(truth.values <= answers[:, place]) for place in order]
    asked = ", ".join(f"{truth.quantiles[place]:.4g}" for place in order)
    return f"Of the {part} rows {', '.join(f'{share:.1%}' for share in shares)} lie below the quantiles {asked}."


def _mark_undefined(metrics: dict[str, Scores], fresh: list[Any], data: Prepared) -> list[str]:
    """Puts NaN where a metric is not defined, and returns the reasons."""
    notes = []
    for part, scores in metrics.items():
        absent = undefined(fresh, data.truth(part))
        scores |= dict.fromkeys(absent, float("nan"))
        notes += [f"{name} of {part} is undefined: its rows are all of one class." for name in absent]
    return notes


def _write_predictions(
    data: Prepared, answers: dict[str, npt.NDArray[np.float32]], journal: Journal, decisions: Decisions
) -> None:
    with replace_file(journal.path / "predictions.csv") as path, path.open("w", encoding="utf-8", newline="") as file:
        for part, found in answers.items():
            ids, truth = data.row_ids(part), data.truth(part)
            for first in range(0, len(found), CHUNK_ROWS):
                rows = np.arange(first, min(first + CHUNK_ROWS, len(found)))
                table = prediction_table(part, ids[rows], truth.take(rows), found[rows], decisions)
                table.to_csv(file, index=False, header=not file.tell())


def _as_written(cells: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns numbers in 64 bits, and words such that no spreadsheet takes them for a formula."""
    if cells.dtype != object:
        return cells.astype(np.float64) if cells.dtype == np.float32 else cells
    places, words = pd.factorize(cells)
    safe = np.array([neutral(word) if isinstance(word, str) else word for word in words], dtype=object)
    written: npt.NDArray[Any] = safe[places]
    return written


def prediction_table(
    part: str,
    row_ids: npt.NDArray[Any],
    target: Target,
    answers: npt.NDArray[np.float32],
    decisions: Decisions | None = None,
) -> pd.DataFrame:
    """Returns id, part, target and prediction of each row, with probabilities if there are classes, weights if any.

    `answers` has the shape (rows, units); `decisions` give the threshold, and intervals or sets.
    """
    decisions = decisions or Decisions()
    table: dict[str, Any] = {"row_id": row_ids, "part": np.full(len(row_ids), part, dtype=object)}
    values = target.values
    named = name_answers(
        target.kind, target.classes, answers, decisions.threshold, decisions.conformal, target.quantiles
    )
    if target.kind.labels:
        for place, label in enumerate(target.classes):
            table[f"target_{label}"] = values[:, place].astype(int)
            table |= {f"{kind}_{label}": named[f"{kind}_{label}"] for kind in ("prediction", "probability")}
    else:
        names = np.array(target.classes, dtype=object)
        table |= {"target": names[values.astype(int)] if target.classes else values, **named}
    if target.weights is not None:
        table["weight"] = target.weights
    return pd.DataFrame({name: _as_written(cells) for name, cells in table.items()})
