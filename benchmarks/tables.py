"""What dltrain reaches on tables beside other libraries, on the same folds; prints one dated table.

    DLTRAIN_TEST_DATA=DIR python benchmarks/tables.py [--data wine boston] [--models tabular boosting]
        [--own FILE TARGET TASK] [--folds 5] [--repeats 1] [--rows 5000] [--peers-python PYTHON] [--minutes 5]
        [--inner] [--set OVERRIDE ...]

`default` is what `dltrain dataset=…` trains where nothing else is chosen, `tabular` is `experiment=tabular`, the same
for all tables. From the rows that a fold trains on a tenth is cut to choose the best epoch. `bagged` averages ten
trainings on those rows, each without a tenth of them, as `cv=kfold cv.folds=10 cv.ensemble=true` does. `best` is
`search=best` for so many minutes. `linear` is ridge or logistic regression; `boosting`, `process`, `vectors` and
`forest` are scikit-learn's; `catboost`, `lightgbm`, `realmlp` and `tabm` run with their libraries' defaults in the
environment of PYTHON (`tables_worker.py`). Nothing but the train rows of a fold chooses anything.

At the end stand the differences from the model of `--against`, fold by fold, with 95 % intervals that count with the
train rows that folds share (Nadeau & Bengio 2003), and ranks and wins over the tables. `--rows` draws so many rows of
larger tables. `--inner` stays within the rows that the first fold trains on, by a five-fold of their own: by these
figures the defaults were chosen. `--own` takes any table that `dataset=csv` reads. OVERRIDE changes the
config of `default`, `tabular` and `bagged`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dltrain.internals import tensorflow_quietly

tensorflow_quietly.load()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from cross_validation import Silent  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402
from scipy import stats  # noqa: E402
from scipy.special import expit  # noqa: E402
from sklearn import ensemble, gaussian_process, linear_model, metrics, model_selection, svm  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.multiclass import OneVsRestClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
from table_sets import CARRIED, FILES, LESS_IS_BETTER, PROTOCOLS, Cut, Protocol, carried, own  # noqa: E402
from tables_worker import PACKAGES  # noqa: E402

from dltrain.config.compose import Composer  # noqa: E402
from dltrain.config.seed import Seed  # noqa: E402
from dltrain.data.folds import make_folds  # noqa: E402
from dltrain.data.split import Split, cut  # noqa: E402
from dltrain.experiment.experiment import Problem, assemble_on, draw, pose  # noqa: E402
from dltrain.experiment.side_by_side import TrainingJob, train_side_by_side  # noqa: E402
from dltrain.experiment.stages import load_dataset, split_constraints  # noqa: E402

VALIDATION = 0.1
PROCESS_ROWS = 500
NETWORK = ("default", "tabular", "bagged")
CLASSIC = ("linear", "boosting", "process", "vectors", "forest")
PEERS = tuple(PACKAGES)
MODELS = (*NETWORK, "best", *CLASSIC, *PEERS)
CUSTOMARY = ("default", "tabular", "bagged", "linear", "boosting", *PEERS)

Scores = list[dict[str, float]]  # of each cut, by metric


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
    if name == "linear":
        # The weakest penalty that folds of the train rows ask for
        penalties = np.logspace(-3, 3, 13)
        logistic = linear_model.LogisticRegressionCV(
            Cs=np.logspace(-3, 1, 5),
            cv=3,
            scoring="neg_log_loss",
            max_iter=300,
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
        )
        model = linear_model.RidgeCV(penalties) if quantity else logistic
    elif name == "boosting":
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
    for train, test in cuts:
        numbers, categories = cells_of(dataset.decided(train))
        cells = np.column_stack([numbers.astype(object), categories])
        numeric, words = [*range(numbers.shape[1])], [*range(numbers.shape[1], cells.shape[1])]
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


def cells_of(dataset: Any) -> tuple[Any, Any]:
    """Numbers (rows, columns), with NaN where missing and dates as parts, and categories (rows, columns) as words."""
    numbers, categories = [np.zeros((len(dataset), 0))], [np.zeros((len(dataset), 0), object)]
    for name, cells in dataset.columns.items():
        kind = dataset.kinds[name]
        if kind == "numeric":
            numbers.append(cells.astype(np.float64)[:, None])
        elif kind == "category":
            categories.append(cells.astype(object)[:, None])
        elif kind == "date":
            when = pd.to_datetime(
                pd.Series(cells.astype(str)), format="mixed", errors="coerce", utc=True
            ).dt.tz_localize(None)
            days = (when - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1)
            parts = [days, when.dt.month, when.dt.day, when.dt.day_of_week, when.dt.hour]
            numbers.append(np.column_stack([part.to_numpy(np.float64) for part in parts]))
    return np.hstack(numbers), np.hstack(categories)


class Worker:
    """The process of the other libraries' environment, one for all tables."""

    def __init__(self, python: str) -> None:
        pipe, script = subprocess.PIPE, Path(__file__).with_name("tables_worker.py")
        self.process = subprocess.Popen([python, str(script)], stdin=pipe, stdout=pipe, text=True)
        self.versions: dict[str, str] = self._answer()

    def fitted(self, name: str, problem: Problem, cuts: Sequence[Cut], folder: Path) -> Iterator[tuple[Any, float]]:
        """The answers for the test rows of each cut, with the processor's seconds."""
        assert self.process.stdin is not None
        for number, (train, test) in enumerate(cuts):
            numbers, words = cells_of(problem.dataset.decided(train))
            codes = [pd.factorize(column.astype(str))[0] for column in words.T]
            categories = np.column_stack(codes) if codes else np.zeros(words.shape, np.int64)
            data, answers = folder / "data.npz", folder / "answers.npy"
            target = problem.target.values
            np.savez(data, numbers=numbers, categories=categories, target=target, train=train, test=test)
            asked = {"model": name, "task": problem.target.task, "threads": 1, "seed": number}
            self.process.stdin.write(json.dumps({**asked, "data": str(data), "answers": str(answers)}) + "\n")
            self.process.stdin.flush()
            answer = self._answer()
            if "failed" in answer:
                raise RuntimeError(answer["failed"])
            yield np.load(answers), answer["cpu"]

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline() or '{"failed": "the process ended"}'))


def searched(problem: Problem, cuts: Sequence[Cut], minutes: float, folder: Path) -> Iterator[Any]:
    """The answers of `search=best`, which sees a file of the train rows alone, for the test rows of each cut."""
    from dltrain.api.finished_sweep import Sweep

    dataset = problem.dataset
    frame = pd.DataFrame({**dataset.columns, **dataset.target})
    (target,) = dataset.target
    kinds = ", ".join(f"{name}: {kind}" for name, kind in dataset.kinds.items())
    for number, (train, test) in enumerate(cuts):
        file, sweep = folder / f"train_{number}.csv", folder / f"sweep_{number}"
        frame.iloc[train].to_csv(file, index=False)
        words = ["dataset=csv", f"dataset.path={file}", f"dataset.target='{target}'", f"dataset.kinds={{{kinds}}}"]
        words += [f"task={problem.target.task}", "split=no_test", f"search.minutes={minutes}", "search=best"]
        words += [f"hydra.sweep.dir={sweep}", f"seed={42 + number}", "quiet=true"]
        subprocess.run([sys.executable, "-m", "dltrain", "-m", *words], check=True, stdout=subprocess.DEVNULL)
        given = Sweep(sweep).best.model.predict(frame.iloc[test].drop(columns=target))
        columns = [name for name in given.columns if name.startswith("probability")]
        if problem.target.task == "binary":  # the second class alone, as a network answers
            columns = columns[-1:]
        yield given[columns or ["prediction"]].to_numpy(np.float64)


def answered(
    model: str, arguments: argparse.Namespace, protocol: Protocol, problem: Problem, cuts: Sequence[Cut], folder: Path
) -> tuple[list[Any], str]:
    """The answers of a model for the test rows of each cut, and what is told of its training."""
    if model in NETWORK:
        config = composed(protocol, () if model == "default" else ("experiment=tabular",), arguments.overrides)
        return trained(
            config, problem, silent(folder / model), cuts, members=config.cv.folds if model == "bagged" else 1
        )
    if model in PEERS:
        found = [*arguments.worker.fitted(model, problem, cuts, folder)]
        return [answers for answers, _ in found], f"{sum(used for _, used in found):.1f} s CPU there"
    if model == "best":
        return [*searched(problem, cuts, arguments.minutes, folder)], f"{arguments.minutes:g} minutes each"
    return [*fitted(model, problem, cuts)], ""


def composed(protocol: Protocol, chosen: Sequence[str], overrides: Sequence[str]) -> Any:
    """The config of a network, without what a run writes beside."""
    fixed = ["cv=kfold", "cv.folds=10", "trainer.save_state_seconds=null"]
    without = ["~callbacks.tensorboard", "~callbacks.progress", "~callbacks.csv_history"]
    config = Composer().compose([*chosen, *protocol.words, *fixed, *without, *overrides])
    if str(config.model._target_).endswith(".auto"):  # which takes this recipe for tables
        return composed(protocol, ("experiment=tabular",), overrides)
    OmegaConf.set_struct(config, False)
    return config


def silent(folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    return Silent(folder)


def measure(name: str, protocol: Protocol, arguments: argparse.Namespace) -> dict[str, Scores]:
    """The scores of each model on a table; none of what is left out."""
    if protocol.file and not (FILES / protocol.file).exists():
        print(f"{name}: left out, there is no {FILES / protocol.file}. Set DLTRAIN_TEST_DATA.", flush=True)
        return {}
    folds, repeats = protocol.folds
    # The last of `rows` and of the words count, so that a table's own come first.
    config = composed(protocol, ("experiment=tabular",), [*arguments.drawn, *arguments.overrides])
    found: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        journal = silent(folder)
        problem = draw(config, pose(config, load_dataset(config.dataset, journal), journal, []), journal)
        cuts = protocol.cuts(arguments.folds or folds, arguments.repeats or repeats, problem.target)
        if arguments.inner:
            cuts = within(cuts[0][0], problem.target, arguments.repeats or 1)
        told = "within the first fold's train rows" if arguments.inner else protocol.told
        print(f"{name}: {len(problem.dataset):,} rows, {told}, {len(cuts)} trainings", flush=True)
        for model in arguments.models:
            began, used = time.perf_counter(), time.process_time()
            try:
                given, beside = answered(model, arguments, protocol, problem, cuts, folder)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                print(f"  {model:10} left out: {error}", flush=True)
                continue
            found[model] = [
                score(protocol.metrics, problem.target.values[test], answers)
                for (_, test), answers in zip(cuts, given, strict=True)
            ]
            seconds = f"{time.perf_counter() - began:6.1f} s, {time.process_time() - used:6.1f} s CPU"
            print(f"  {model:10}{line(found[model], protocol)}  {seconds}  {beside}", flush=True)
        share = float(np.mean([len(test) / len(train) for train, test in cuts]))
    if arguments.against in found:
        for model, scores in found.items():
            if model != arguments.against:
                told = difference(scores, found[arguments.against], protocol.metrics[0], share)
                print(f"    {model} - {arguments.against}: {told}", flush=True)
    return found


def within(rows: Any, target: Any, repeats: int) -> list[Cut]:
    """Five folds of some rows."""
    classes = target.strata
    kind = model_selection.RepeatedKFold if classes is None else model_selection.RepeatedStratifiedKFold
    splitter = kind(n_splits=5, n_repeats=repeats, random_state=0)
    cuts = splitter.split(rows, None if classes is None else classes[rows])
    return [(rows[train], rows[test]) for train, test in cuts]


def line(scores: Scores, protocol: Protocol) -> str:
    """Mean, standard deviation between the folds, and whether what was reached before is, for each metric."""
    text = ""
    for name in protocol.metrics:
        values = [each[name] for each in scores]
        mean = float(np.mean(values))
        text += f"  {name} {mean:.4f} ± {np.std(values):.4f}"
        if name in protocol.wanted:
            sign, bound = protocol.wanted[name]
            reached = mean >= bound if sign == ">=" else mean <= bound
            text += f" ({sign} {bound:g}: {'yes' if reached else 'no'})"
    return text


def difference(ones: Scores, others: Scores, metric: str, share: float) -> str:
    """The mean difference of a metric over the folds, with its interval; `share` is test rows by train rows."""
    gaps = np.array([one[metric] - other[metric] for one, other in zip(ones, others, strict=True)])
    if len(gaps) < 2:
        return f"{metric} {gaps.mean():+.4g}"
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) * np.sqrt(1 / len(gaps) + share)
    low, high = gaps.mean() - half, gaps.mean() + half
    better = (high < 0) if metric in LESS_IS_BETTER else (low > 0)
    worse = (low > 0) if metric in LESS_IS_BETTER else (high < 0)
    verdict = "better" if better else "worse" if worse else "within noise"
    return f"{metric} {gaps.mean():+.4g} ({low:+.4g} to {high:+.4g}): {verdict}"


def summary(found: dict[str, dict[str, Scores]], protocols: dict[str, Protocol]) -> None:
    """Prints a table of the first metrics, with the mean rank and the wins of the models that have all tables."""
    names = list(dict.fromkeys(model for scores in found.values() for model in scores))
    print(f"\n{time.strftime('%Y-%m-%d')}, means over the folds; less is better for {', '.join(LESS_IS_BETTER)}")
    print("| table | metric | " + " | ".join(names) + " |\n|---|---|" + "---|" * len(names))
    ranks: dict[str, list[float]] = {model: [] for model in names}
    for table, scores in found.items():
        metric = protocols[table].metrics[0]
        means = {model: float(np.mean([each[metric] for each in folds])) for model, folds in scores.items()}
        sign = 1 if metric in LESS_IS_BETTER else -1
        places = stats.rankdata([round(sign * mean, 6) for mean in means.values()])
        for model, place in zip(means, places, strict=True):
            ranks[model].append(float(place))
        best = min(sign * mean for mean in means.values())
        cells = [
            ("**{}**" if sign * means[model] == best else "{}").format(f"{means[model]:.4g}") if model in means else "-"
            for model in names
        ]
        print(f"| {table} | {metric} | " + " | ".join(cells) + " |")
    whole = [model for model in names if len(ranks[model]) == len(found)]
    ranked = {model: f"{np.mean(ranks[model]):.2f}" if model in whole else "-" for model in names}
    wins = {model: str(sum(rank < 1.75 for rank in ranks[model])) for model in names}
    print("| mean rank | | " + " | ".join(ranked.values()) + " |\n| wins | | " + " | ".join(wins.values()) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tables = [*PROTOCOLS, *CARRIED]
    parser.add_argument("--data", nargs="+", choices=tables, metavar="NAME", help="all, where --own names none either")
    parser.add_argument("--own", nargs=3, action="append", default=[], metavar=("FILE", "TARGET", "TASK"))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(CUSTOMARY), metavar="NAME")
    parser.add_argument("--against", choices=MODELS, default="tabular", help="the model that others are compared with")
    parser.add_argument("--folds", type=int, help="in place of the protocol's")
    parser.add_argument("--repeats", type=int, help="in place of the protocol's")
    parser.add_argument("--rows", type=int, help="at most so many of each table")
    parser.add_argument("--minutes", type=float, default=5, help="of each search=best")
    parser.add_argument("--peers-python", metavar="PYTHON", help=f"of an environment with {', '.join(PEERS)}")
    parser.add_argument("--inner", action="store_true", help="compare settings without looking at a test row")
    parser.add_argument("--set", nargs="+", default=[], dest="overrides", metavar="OVERRIDE", help="of the config")
    arguments = parser.parse_args()
    arguments.drawn = [f"rows={arguments.rows}"] if arguments.rows else []
    packages = ("tensorflow", "keras", "scikit-learn", "numpy")
    versions = {package: importlib.metadata.version(package) for package in packages}
    arguments.worker = Worker(arguments.peers_python) if arguments.peers_python else None
    if arguments.worker:
        versions |= arguments.worker.versions
    else:
        left_out = [model for model in arguments.models if model in PEERS]
        arguments.models = [model for model in arguments.models if model not in PEERS]
        print(f"left out without --peers-python: {', '.join(left_out) or 'nothing'}")
    told = ", ".join(f"{package} {version}" for package, version in versions.items())
    print(f"Python {platform.python_version()}, {told}; {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    with tempfile.TemporaryDirectory() as folder:
        owned = {Path(file).stem: own(str(Path(file).resolve()), target, task) for file, target, task in arguments.own}
        names = [*(arguments.data or ([] if owned else tables)), *owned]
        protocols = PROTOCOLS | {name: carried(name, Path(folder)) for name in CARRIED if name in names} | owned
        found = {name: scores for name in names if (scores := measure(name, protocols[name], arguments))}
        if found:
            summary(found, protocols)


if __name__ == "__main__":
    main()
