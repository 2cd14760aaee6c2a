"""What `experiment=tabular` reaches on six tables, beside scikit-learn's models on the same folds; in one process.

    DLTRAIN_TEST_DATA=DIR python benchmarks/tables.py [--data wine boston] [--models tabular boosting]
        [--folds 5] [--repeats 1] [--inner] [OVERRIDE ...]

The settings of `tabular` are the same for all tables; `titanic_engineered` adds columns made of names and cabins. From
the rows that a fold trains on a tenth is cut to choose the best epoch. `bagged` averages ten trainings on those rows,
each without a tenth of them, as `cv=kfold cv.folds=10 cv.ensemble=true` does. `--inner` stays within the rows that the
first fold trains on, by a five-fold of their own: by these figures the defaults were chosen. OVERRIDE changes the
config of dltrain's models.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dltrain.internals import tensorflow_quietly

tensorflow_quietly.load()

import numpy as np  # noqa: E402
from cross_validation import Silent  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402
from scipy.special import expit  # noqa: E402
from sklearn import ensemble, gaussian_process, metrics, model_selection, svm  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.multiclass import OneVsRestClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

from dltrain.config.compose import Composer  # noqa: E402
from dltrain.config.seed import Seed  # noqa: E402
from dltrain.data.folds import make_folds  # noqa: E402
from dltrain.data.split import Split, cut  # noqa: E402
from dltrain.experiment.experiment import Problem, assemble_on, draw, pose  # noqa: E402
from dltrain.experiment.side_by_side import TrainingJob, train_side_by_side  # noqa: E402
from dltrain.experiment.stages import load_dataset, split_constraints  # noqa: E402

FILES = Path(os.environ.get("DLTRAIN_TEST_DATA", "/nowhere"))
VALIDATION = 0.1
EMOTIONS = "amazed-suprised,happy-pleased,relaxing-calm,quiet-still,sad-lonely,angry-aggresive"
PROCESS_ROWS = 500
NETWORK = ("tabular", "bagged")
CLASSIC = ("boosting", "process", "vectors", "forest")

Cut = tuple[Any, Any]


@dataclass(frozen=True)
class Protocol:
    """How a table is measured.

    Attributes:
        words: choose the table in dltrain's config.
        file: what it is read from, below DLTRAIN_TEST_DATA; None where a package carries it.
        told: the protocol in words.
        cuts: from folds, repeats and the target to the rows of train and test.
        wanted: the least or greatest mean of each metric.
    """

    words: tuple[str, ...]
    file: str | None
    told: str
    cuts: Callable[[int, int, Any], list[Cut]]
    wanted: dict[str, tuple[str, float]]


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


KERAS_FILE = "boston/boston_housing.npz"
BOSTON_KERAS = ("dataset=boston", f"dataset.path={FILES / KERAS_FILE}")
SURVIVAL = {"accuracy": (">=", 0.805), "auc": (">=", 0.855)}
PROTOCOLS: dict[str, tuple[Protocol, int, int]] = {
    "titanic": (Protocol(("dataset=titanic",), None, "stratified", stratified, SURVIVAL), 10, 3),
    "titanic_engineered": (
        Protocol(("dataset=titanic", "dataset.engineered=true"), None, "stratified", stratified, SURVIVAL),
        10,
        3,
    ),
    "wine": (Protocol(("dataset=wine",), None, "stratified", stratified, {"accuracy": (">=", 0.983)}), 10, 5),
    "boston": (Protocol(("dataset=boston",), None, "shuffled", shuffled, {"rmse": ("<=", 3.14)}), 10, 3),
    "boston_keras_folds": (
        Protocol(BOSTON_KERAS, KERAS_FILE, "Keras' 404 train rows", keras_folds, {"mae": ("<=", 2.38)}),
        4,
        1,
    ),
    "boston_keras_test": (
        Protocol(BOSTON_KERAS, KERAS_FILE, "Keras' 102 test rows", keras_test, {"mae": ("<=", 2.55)}),
        1,
        1,
    ),
    "wine_quality": (
        Protocol(
            (
                "dataset=csv",
                f"dataset.path={FILES}/wine_quality/winequality-red.csv",
                "dataset.target=quality",
                "task=regression",
            ),
            "wine_quality/winequality-red.csv",
            "random 90/10 splits",
            random_tenths,
            {"rmse": ("<=", 0.64)},
        ),
        20,
        1,
    ),
    "emotions": (
        Protocol(
            (
                "dataset=csv",
                f"dataset.path={FILES}/emotions/emotions.arff.gz",
                f"dataset.target=[{EMOTIONS}]",
            ),
            "emotions/emotions.arff.gz",
            "shuffled",
            shuffled,
            {"hamming": ("<=", 0.20), "micro_f1": (">=", 0.65)},
        ),
        10,
        1,
    ),
}


def score(names: Sequence[str], truth: Any, answers: Any) -> dict[str, float]:
    """The metrics of answers (rows, units): probabilities, or a quantity."""
    flat = answers[:, 0]
    labels = answers.argmax(axis=1) if answers.shape[1] > 1 else flat > 0.5
    found: dict[str, Callable[[], Any]] = {
        "accuracy": lambda: np.mean(labels == truth),
        "auc": lambda: metrics.roc_auc_score(truth, flat),
        "rmse": lambda: np.sqrt(np.mean((truth - flat) ** 2)),
        "mae": lambda: np.mean(np.abs(truth - flat)),
        "hamming": lambda: np.mean((answers > 0.5) != truth),
        "micro_f1": lambda: metrics.f1_score(truth, answers > 0.5, average="micro"),
    }
    return {name: float(found[name]()) for name in names}


def trained(config: Any, problem: Problem, journal: Any, cuts: Sequence[Cut], *, members: int) -> tuple[list[Any], str]:
    """The answers of dltrain's network for the test rows of each cut; each the mean of so many members."""
    source, jobs = split_constraints(problem.dataset, problem.target), []
    for number, (train, test) in enumerate(cuts):
        if members > 1:
            folds = make_folds(config.cv, source, np.sort(train), validation=VALIDATION, seed=Seed(number, 2))
            parts = [Split(fold.split.train, fold.split.validation, test) for fold in folds]
        else:
            kept, held = cut(train, round(len(train) * (1 - VALIDATION)), source, source.classes, number)
            parts = [Split(np.sort(kept), np.sort(held), test)]
        for member, split in enumerate(parts):
            name, seed = f"{number}_{member}", number * 100 + member
            jobs.append(
                TrainingJob(
                    f"fold {name}", Seed(seed, 2), partial(assemble_on, config, problem, split), journal.part(name)
                )
            )

    def answers(job: Any, experiment: Any, training: Any) -> Any:
        experiment.data.unseal_test(lambda rows: None)
        return training.engine.predict(experiment.data.source("test")), training.best_epoch, len(training.history)

    found = train_side_by_side(jobs, answers, config=config, journal=journal)
    each = len(found) // len(cuts)
    best, of = (int(np.median([epochs[place] for epochs in found])) for place in (1, 2))
    answers_of = [
        np.mean([a for a, *_ in found[place * each : (place + 1) * each]], axis=0) for place in range(len(cuts))
    ]
    return answers_of, f"best epoch {best} of {of}"


def classic(name: str, task: str, features: Any, targets: Any) -> Any:
    """One of scikit-learn's models with its default settings, or with the customary ones where these do not fit."""
    quantity = task == "regression"
    model: Any
    if name == "boosting":
        kind = ensemble.HistGradientBoostingRegressor if quantity else ensemble.HistGradientBoostingClassifier
        model = kind(random_state=0)
    elif name == "forest":
        kind = ensemble.RandomForestRegressor if quantity else ensemble.RandomForestClassifier
        model = kind(500, random_state=0)
    elif name == "vectors":
        model = svm.SVR(C=10.0) if quantity else svm.SVC()
    elif quantity:
        kernel = ConstantKernel() * RBF(3.0) + WhiteKernel(0.1)
        model = gaussian_process.GaussianProcessRegressor(kernel, normalize_y=True)
        # A kernel that was found on some rows serves the others, where finding it would take minutes.
        some = np.random.default_rng(0).permutation(len(targets))[:PROCESS_ROWS]
        model = model.fit(features[some], targets[some])
        model = model.set_params(kernel=model.kernel_, optimizer=None)
    else:
        model = gaussian_process.GaussianProcessClassifier(ConstantKernel(4.0) * RBF(5.0), optimizer=None)
    return OneVsRestClassifier(model) if task == "multilabel" else model


def fitted(name: str, problem: Problem, cuts: Sequence[Cut]) -> Iterator[Any]:
    """The answers of a model of scikit-learn for the test rows of each cut."""
    dataset, target = problem.dataset, problem.target
    numeric = [place for place, column in enumerate(dataset.columns) if dataset.kinds[column] == "numeric"]
    words = [place for place, column in enumerate(dataset.columns) if dataset.kinds[column] == "category"]
    cells = np.column_stack([values.astype(object) for values in dataset.columns.values()])
    for train, test in cuts:
        prepare = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numeric),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
            sparse_threshold=0.0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a kernel's parameter may stand at its bound
            features = prepare.fit_transform(cells[train])
            model = classic(name, target.task, features, target.values[train]).fit(features, target.values[train])
        unseen = prepare.transform(cells[test])
        if target.task == "regression":
            answers = model.predict(unseen)[:, None]
        else:
            # The sign of a support vector machine's decision decides, as a probability above 1/2 does.
            sure = hasattr(model, "predict_proba")
            answers = model.predict_proba(unseen) if sure else expit(model.decision_function(unseen))
            if target.task == "binary":
                answers = answers.reshape(len(test), -1)[:, -1:]
        yield answers


def measure(name: str, arguments: argparse.Namespace) -> None:
    protocol, folds, repeats = PROTOCOLS[name]
    folds, repeats = arguments.folds or folds, arguments.repeats or repeats
    if protocol.file and not (FILES / protocol.file).exists():
        print(f"{name}: left out, there is no {FILES / protocol.file}. Set DLTRAIN_TEST_DATA.", flush=True)
        return
    fixed = ["experiment=tabular", *protocol.words, "cv=kfold", "cv.folds=10", "trainer.save_state_seconds=null"]
    without = ["~callbacks.tensorboard", "~callbacks.progress", "~callbacks.csv_history"]
    config = Composer().compose([*fixed, *without, *arguments.overrides])
    OmegaConf.set_struct(config, False)
    with tempfile.TemporaryDirectory() as folder:
        journal: Any = Silent(Path(folder))
        problem = draw(config, pose(config, load_dataset(config.dataset, journal), journal, []), journal)
        cuts = protocol.cuts(folds, repeats, problem.target)
        if arguments.inner:
            cuts = within(cuts[0][0], problem.target, arguments.repeats or 1)
        told = "within the first fold's train rows" if arguments.inner else protocol.told
        print(f"{name}: {len(problem.dataset):,} rows, {told}, {len(cuts)} trainings", flush=True)
        for model in arguments.models:
            began, used = time.perf_counter(), time.process_time()
            if model in NETWORK:
                part = journal.part(model)
                members = config.cv.folds if model == "bagged" else 1
                given, epochs = trained(config, problem, part, cuts, members=members)
            else:
                given, epochs = list(fitted(model, problem, cuts)), ""
            scores = [
                score(list(protocol.wanted), problem.target.values[test], answers)
                for (_, test), answers in zip(cuts, given, strict=True)
            ]
            seconds = f"{time.perf_counter() - began:6.1f} s, {time.process_time() - used:6.1f} s CPU"
            print(
                f"  {model:10}{line(scores, protocol.wanted)}  {seconds}  {epochs}",
                flush=True,
            )


def within(rows: Any, target: Any, repeats: int) -> list[Cut]:
    """Five folds of some rows."""
    classes = target.strata
    kind = model_selection.RepeatedKFold if classes is None else model_selection.RepeatedStratifiedKFold
    splitter = kind(n_splits=5, n_repeats=repeats, random_state=0)
    cuts = splitter.split(rows, None if classes is None else classes[rows])
    return [(rows[train], rows[test]) for train, test in cuts]


def line(scores: Sequence[dict[str, float]], wanted: dict[str, tuple[str, float]]) -> str:
    """Mean, standard deviation between the folds, and whether the target is reached, for each metric."""
    text = ""
    for name, (sign, bound) in wanted.items():
        values = [each[name] for each in scores]
        mean = float(np.mean(values))
        reached = mean >= bound if sign == ">=" else mean <= bound
        text += f"  {name} {mean:.4f} ± {np.std(values):.4f} ({sign} {bound:g}: {'yes' if reached else 'no'})"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=list(PROTOCOLS), default=list(PROTOCOLS), metavar="NAME")
    parser.add_argument("--models", nargs="+", choices=NETWORK + CLASSIC, default=list(NETWORK + CLASSIC))
    parser.add_argument("--folds", type=int, help="in place of the protocol's")
    parser.add_argument("--repeats", type=int, help="in place of the protocol's")
    parser.add_argument("--inner", action="store_true", help="compare settings without looking at a test row")
    parser.add_argument("--set", nargs="+", default=[], dest="overrides", metavar="OVERRIDE", help="of the config")
    arguments = parser.parse_args()
    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    for name in arguments.data:
        measure(name, arguments)


if __name__ == "__main__":
    main()
