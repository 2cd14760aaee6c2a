"""The tables of `benchmarks/tables.py`: how each is read, cut and scored."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets, model_selection

FILES = Path(os.environ.get("DLTRAIN_TEST_DATA", "/nowhere"))
EMOTIONS = "amazed-suprised,happy-pleased,relaxing-calm,quiet-still,sad-lonely,angry-aggresive"

Cut = tuple[Any, Any]


@dataclass(frozen=True)
class Protocol:
    """How a table is measured.

    Attributes:
        words: choose the table in dltrain's config.
        file: what it is read from, below DLTRAIN_TEST_DATA; None where a package carries it.
        told: the protocol in words.
        cuts: from folds, repeats and the target to the rows of train and test.
        metrics: their names; models are ranked by the first.
        folds: how many cuts are asked for where the command line does not say, with the repeats.
        wanted: the least or greatest mean of some metrics, reached before.
    """

    words: tuple[str, ...]
    file: str | None
    told: str
    cuts: Callable[[int, int, Any], list[Cut]]
    metrics: tuple[str, ...]
    folds: tuple[int, int] = (5, 1)
    wanted: dict[str, tuple[str, float]] = field(default_factory=dict)


def stratified(folds: int, repeats: int, target: Any) -> list[Cut]:
    splitter = model_selection.RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=0)
    return list(splitter.split(target.values, target.values))


def shuffled(folds: int, repeats: int, target: Any) -> list[Cut]:
    kinds = [model_selection.KFold(folds, shuffle=True, random_state=seed) for seed in range(repeats)]
    return [each for kind in kinds for each in kind.split(target.values)]


def random_tenths(folds: int, repeats: int, target: Any) -> list[Cut]:
    splitter = model_selection.ShuffleSplit(folds * repeats, test_size=0.1, random_state=0)
    return list(splitter.split(target.values))


def keras_order(rows: int) -> Any:
    """The order of `keras.datasets.boston_housing.load_data()` with its default seed; its first 404 rows train."""
    order = np.arange(rows)
    np.random.RandomState(113).shuffle(order)
    return order


def keras_folds(folds: int, repeats: int, target: Any) -> list[Cut]:
    """Runs of neighbouring rows in Keras' order, as in Chollet's book."""
    del repeats
    train = keras_order(len(target.values))[:404]
    parts = np.array_split(train, folds)
    return [(np.setdiff1d(train, part), part) for part in parts]


def keras_test(folds: int, repeats: int, target: Any) -> list[Cut]:
    del folds, repeats
    order = keras_order(len(target.values))
    return [(order[:404], order[404:])]


def own(file: str, target: str, task: str, *words: str) -> Protocol:
    """A file that people read with dataset=csv."""
    chosen = ("dataset=csv", f"dataset.path={FILES / file}", f"dataset.target={target}", f"task={task}", *words)
    cuts, metrics = {
        "binary": (stratified, ("auc", "accuracy")),
        "multiclass": (stratified, ("accuracy",)),
        "regression": (shuffled, ("rmse", "mae")),
    }[task]
    return Protocol(chosen, file, "stratified" if cuts is stratified else "shuffled", cuts, metrics)


def carried(name: str, folder: Path) -> Protocol:
    """A table of scikit-learn or a made one, written as a file."""
    if name == "made_income":
        return made_income(folder)
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    frame.to_csv(folder / f"{name}.csv", index=False)
    task = {"diabetes": "regression", "breast_cancer": "binary", "digits": "multiclass"}[name]
    return own(str(folder / f"{name}.csv"), "target", task)


def made_income(folder: Path) -> Protocol:
    """A made table of as many rows as the census of incomes, with columns that are 0 in nearly all rows."""
    draw, rows = np.random.default_rng(0), 48_842
    age, years = draw.gamma(5, 4, rows).astype(int) + 17, draw.binomial(16, 0.63, rows)
    hours = np.where(draw.random(rows) < 0.47, 40, np.clip(draw.normal(40, 14, rows), 1, 99).astype(int))
    gain = np.where(draw.random(rows) < 0.08, draw.lognormal(8.5, 1.2, rows), 0).round()
    loss = np.where(draw.random(rows) < 0.05, draw.normal(1870, 400, rows), 0).round()
    married, work = draw.random(rows) < 0.47, draw.integers(0, 14, rows)
    score = -5.2 + 2.2 * married + 0.3 * (years - 10) * (1 + 0.5 * married) + 0.03 * (hours - 40)
    score += 0.09 * np.minimum(age, 48) - 0.03 * np.maximum(age - 58, 0) + draw.normal(0, 0.7, 14)[work]
    score += 4 * (gain > 7000) - 1.5 * ((gain > 0) & (gain < 5000)) + 2.5 * ((loss > 1800) & (loss < 2000))
    frame = pd.DataFrame({"age": age, "years": years, "hours": hours, "gain": gain, "loss": loss})
    frame["married"], frame["work"] = np.where(married, "yes", "no"), [f"work_{number}" for number in work]
    frame["high"] = np.where(draw.random(rows) < 1 / (1 + np.exp(-score)), "yes", "no")
    frame.to_csv(folder / "made_income.csv", index=False)
    return own(str(folder / "made_income.csv"), "high", "binary")


KERAS_FILE = "boston/boston_housing.npz"
BOSTON_KERAS = ("dataset=boston", f"dataset.path={FILES / KERAS_FILE}")
SURVIVAL = {"accuracy": (">=", 0.805), "auc": (">=", 0.855)}
SURVIVED = ("auc", "accuracy")
NO_NAMES = "dataset.header=false"
QUESTION = 'dataset.missing_values=["?"]'
SINGLE = "dataset.quoting=single"
LESIONS = ",".join(f"column_{number}: ignore" for number in (3, *range(24, 29)))  # the number of the hospital, and what
# was found in surgery
PROTOCOLS: dict[str, Protocol] = {
    "titanic": Protocol(("dataset=titanic",), None, "stratified", stratified, SURVIVED, (10, 3), SURVIVAL),
    "titanic_engineered": Protocol(
        ("dataset=titanic", "dataset.engineered=true"), None, "stratified", stratified, SURVIVED, (10, 3), SURVIVAL
    ),
    "wine": Protocol(
        ("dataset=wine",), None, "stratified", stratified, ("accuracy",), (10, 5), {"accuracy": (">=", 0.983)}
    ),
    "boston": Protocol(
        ("dataset=boston",), None, "shuffled", shuffled, ("rmse", "mae"), (10, 3), {"rmse": ("<=", 3.14)}
    ),
    "boston_keras_folds": Protocol(
        BOSTON_KERAS, KERAS_FILE, "Keras' 404 train rows", keras_folds, ("mae",), (4, 1), {"mae": ("<=", 2.38)}
    ),
    "boston_keras_test": Protocol(
        BOSTON_KERAS, KERAS_FILE, "Keras' 102 test rows", keras_test, ("mae",), (1, 1), {"mae": ("<=", 2.55)}
    ),
    "wine_quality": Protocol(
        (
            "dataset=csv",
            f"dataset.path={FILES}/wine_quality/winequality-red.csv",
            "dataset.target=quality",
            "task=regression",
        ),
        "wine_quality/winequality-red.csv",
        "random 90/10 splits",
        random_tenths,
        ("rmse", "mae"),
        (20, 1),
        {"rmse": ("<=", 0.64)},
    ),
    "emotions": Protocol(
        ("dataset=csv", f"dataset.path={FILES}/emotions/emotions.arff.gz", f"dataset.target=[{EMOTIONS}]"),
        "emotions/emotions.arff.gz",
        "shuffled",
        shuffled,
        ("hamming", "micro_f1"),
        (10, 1),
        {"hamming": ("<=", 0.20), "micro_f1": (">=", 0.65)},
    ),
    "auto_imports": own("tables/auto_imports.csv", "column_26", "regression", NO_NAMES, QUESTION),
    "breast_recurrence": own("tables/breast-cancer.csv", "column_10", "binary", NO_NAMES, SINGLE, QUESTION),
    "diamonds": own("tables/diamonds.csv", "price", "regression"),
    "glass": own("tables/glass.csv", "column_10", "multiclass", NO_NAMES),
    "horse_colic": own(
        "tables/horse-colic.csv", "column_23", "multiclass", NO_NAMES, QUESTION, f"dataset.kinds={{{LESIONS}}}"
    ),
    "mammography": own("tables/mammography.csv", "column_7", "binary", NO_NAMES, SINGLE),
    "oil_spill": own("tables/oil-spill.csv", "column_50", "binary", NO_NAMES, "dataset.kinds={column_1: ignore}"),
    "phoneme": own("tables/phoneme.csv", "column_6", "binary", NO_NAMES),
    "pollution": own("tables/pollution.csv", "'pm2.5'", "regression", "dataset.kinds={No: ignore}"),
    "taxis": own("tables/taxis.csv", "total", "regression"),
}
CARRIED = ("diabetes", "breast_cancer", "digits", "made_income")
LESS_IS_BETTER = ("rmse", "mae", "hamming")
