from __future__ import annotations

import json
import math
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from dltrain.base.errors import ConfigError, DataError
from dltrain.config.seed import Seed
from dltrain.data.folds import make_folds
from dltrain.experiment.cross_validation import train_folds
from dltrain.experiment.experiment import draw, pose
from dltrain.experiment.stages import load_dataset, split_constraints
from dltrain.experiment.tables import show_folds
from dltrain.inference.overlap import run_dataset, train_hashes
from dltrain.models.ensemble import average, predict
from dltrain.record.record import Record

SMALL = ("cv=kfold", "cv.folds=3", "model.units=[2]", "model.dropout=0.2", "trainer.epochs=2", "dataset.rows=40")
REGRESSION = ("dataset.problem=regression", "callbacks=[learning_rate,csv_history]")


@pytest.fixture(scope="module")
def finished(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_in(tmp_path_factory.mktemp("cv"), *SMALL)


class TestDirectory:
    def test_each_row_outside_the_test_part_is_predicted_once(self, finished: Any) -> None:
        splits = finished.json("splits.json")
        rows = finished.rows("cv/predictions.csv")
        assert sorted(int(row["row_id"]) for row in rows) == sorted(splits["train"])
        assert {row["fold"] for row in rows} == {"1", "2", "3"}
        top = finished.rows("predictions.csv")
        assert list(rows[0]) == ["row_id", "fold", *list(top[0])[2:]]
        # The final model has trained on all of them.
        assert {row["part"] for row in top} == {"train", "test"}
        assert sum(row["part"] == "train" for row in top) == len(rows)

    def test_parts_are_those_that_are_trained_and_tested(self, finished: Any) -> None:
        splits, table = finished.json("splits.json"), pd.read_csv(finished.path / "predictions.csv")
        assert {part: sorted(ids) for part, ids in splits.items()} == {
            part: sorted(rows["row_id"]) for part, rows in table.groupby("part", sort=False)
        }
        assert finished.json("run.json")["data"]["parts"] == {"train": 32, "test": 8}
        hashes, _ = train_hashes(Record(finished.path))
        assert hashes is not None
        assert len(hashes) == 32

    def test_summary_is_mean_and_deviation_of_the_folds(self, finished: Any) -> None:
        summary = finished.json("cv/summary.json")
        assert [fold["fold"] for fold in summary["folds"]] == [1, 2, 3]
        for name in ("loss", "accuracy", "auc"):
            values = [fold[name] for fold in summary["folds"]]
            assert summary["mean"][name] == pytest.approx(np.mean(values))
            assert summary["sd"][name] == pytest.approx(np.std(values, ddof=1))
        assert summary["val_loss"] == summary["monitored"] == summary["mean"]["loss"] == finished.results.best_value
        assert sum(fold["rows"] for fold in summary["folds"]) == 32
        assert all(fold["rows"] + fold["train_rows"] + fold["validation_rows"] == 32 for fold in summary["folds"])
        assert finished.json("metrics.json")["cross_validation"] == summary

    def test_metrics_of_a_fold_are_those_of_its_predictions(self, finished: Any) -> None:
        table = pd.read_csv(finished.path / "cv" / "predictions.csv")
        right = table["target"] == table["prediction"]
        for number, fold in enumerate(finished.json("cv/summary.json")["folds"], 1):
            assert right[table["fold"] == number].mean() == pytest.approx(fold["accuracy"])
            assert finished.json(f"cv/fold_{number}/metrics.json") == fold
            history = finished.rows(f"cv/fold_{number}/history.csv")
            assert len(history) == fold["epochs"] == 2
            losses = [float(row["val_loss"]) for row in history]
            assert fold["best_epoch"] == 1 + int(np.argmin(losses))
        assert right.mean() == pytest.approx(finished.json("cv/summary.json")["out_of_fold"]["accuracy"])

    def test_final_model_trains_for_the_median_best_epoch_and_is_scored_once(self, finished: Any) -> None:
        best = [fold["best_epoch"] for fold in finished.json("cv/summary.json")["folds"]]
        metrics = finished.json("metrics.json")
        assert metrics["epochs"] == metrics["best_epoch"] == round(np.median(best))
        assert set(metrics["test"]) == {"loss", "accuracy", "auc"}
        assert "validation" not in metrics
        assert "val_loss" not in finished.rows("history.csv")[0]
        run = finished.json("run.json")
        assert [scoring["rows"] for scoring in run["test_scorings"]] == [8]
        assert any("median best epoch" in note for note in run["notes"])
        assert len(run["notes"]) == len(set(run["notes"]))

    def test_weights_of_the_folds_are_not_kept(self, finished: Any) -> None:
        assert not list((finished.path / "cv").rglob("*.keras"))
        assert not list((finished.path / "cv").rglob("*.state"))


def folds_of(compose_config: Any, make_journal: Any, path: Path, *overrides: str, dataset: Any = None) -> Any:
    config, journal = compose_config(*SMALL, *overrides), make_journal(path, Console(quiet=True))
    problem = draw(config, pose(config, dataset or load_dataset(config.dataset, journal), journal, []), journal)
    rows = np.arange(len(problem.dataset))[:-8]
    source = split_constraints(problem.dataset, problem.target)
    return config, problem, make_folds(config.cv, source, rows, validation=0.2, seed=Seed.of(config)), journal


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        pytest.param(REGRESSION, marks=pytest.mark.slow),
        pytest.param(("dataset.missing=0.3", "optimizer=sgd"), marks=pytest.mark.slow),
    ],
)
def test_folds_are_identical_alone_and_side_by_side(
    compose_config: Any, make_journal: Any, forget_graphs: Any, tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    config, problem, folds, journal = folds_of(compose_config, make_journal, tmp_path, *overrides)
    together = train_folds(config, problem, folds, journal)
    for fold, one in zip(folds, together, strict=True):
        forget_graphs()
        (alone,) = train_folds(config, problem, [fold], make_journal(tmp_path / "alone", Console(quiet=True)))
        assert alone.scores == one.scores
        np.testing.assert_array_equal(alone.answers["network"], one.answers["network"])
        name = f"cv/fold_{fold.number}/history.csv"
        assert (tmp_path / name).read_text() == (tmp_path / "alone" / name).read_text()


def test_each_fold_fits_its_own_preprocessing(
    compose_config: Any, make_journal: Any, make_dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).lognormal(size=40)
    dataset = make_dataset({"column": values}, target=values**2)
    config, problem, folds, journal = folds_of(
        compose_config, make_journal, tmp_path, "task=regression", *REGRESSION[1:], dataset=dataset
    )
    seen = {}
    from dltrain.experiment import cross_validation

    assemble = cross_validation.assemble_on

    def spy(config: Any, problem: Any, split: Any) -> Any:
        experiment = assemble(config, problem, split)
        seen[tuple(split.test)] = experiment.data
        return experiment

    monkeypatch.setattr(cross_validation, "assemble_on", spy)
    train_folds(config, problem, folds, journal)
    assert len(seen) == 3
    for fold in folds:
        data, train = seen[tuple(fold.split.test)], values[fold.split.train]
        table = data.preprocessing.transform(dataset)["table"][:, 0]
        np.testing.assert_allclose(table, (values - train.mean()) / train.std(), rtol=1e-4)
        assert data.target.offset == pytest.approx((train**2).mean(), rel=1e-5)
        assert data.target.scale == pytest.approx((train**2).std(), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [("seed=0",), ("cv=kfold", "cv.folds=3"), ("seeds=2",)], ids=str)
def test_a_row_outside_the_train_rows_changes_no_training(
    run_in: Any, tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    """A category of 20 words, and one more in a row of the test part, or of the part that a fold scores."""
    table = [["a", "c", "y"], *([f"{row % 9 / 4}", f"k{row % 20}", f"{row % 7 + row / 50}"] for row in range(300))]

    def run(name: str) -> Any:
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(",".join(cells) for cells in table) + "\n")
        words = (f"dataset.path={path}", "dataset=csv", "dataset.target=y", "trainer.epochs=1", "model.units=[4]")
        return run_in(tmp_path / name, *words, *overrides)

    before = run("before")
    part = before.path / ("seeds/seed_43" if "seeds=2" in overrides else "")
    row = json.loads((part / "splits.json").read_text())["test"][0]
    if "cv=kfold" in overrides:
        row = int(before.rows("cv/predictions.csv")[0]["row_id"])  # scored by the first fold, a train row of the others
        part = before.path / "cv/fold_1"
    table[1 + row][1] = "another"
    after = run("after")
    history = (part / "history.csv").relative_to(before.path)
    assert (after.path / history).read_text() == (before.path / history).read_text()


def test_column_that_would_tell_the_answer_of_a_leaking_fold_is_worth_nothing(
    run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row is a category of its own: whoever fits on the scored rows as well knows every answer."""
    random = np.random.default_rng(3)
    rows = [f"name_{row:03d},{random.integers(0, 2)}" for row in range(120)]
    (tmp_path / "names.csv").write_text("\n".join(["name,target", *rows]) + "\n")
    run = run_in(
        tmp_path / "run",
        *(
            "dataset=csv",
            f"dataset.path={tmp_path / 'names.csv'}",
            "dataset.target=target",
            "+dataset.kinds.name=category",
            "dataset.category_values=null",  # words of a single row have ids of their own
        ),
        *("task=binary", "cv=kfold", "cv.folds=3", "model=linear", "optimizer.learning_rate=0.5", "trainer.epochs=5"),
        "callbacks=learning_rate",
    )
    summary = run.json("cv/summary.json")
    assert 0.3 < summary["out_of_fold"]["auc"] < 0.7
    assert run.json("metrics.json")["train"]["auc"] > 0.95


def test_no_row_of_the_test_part_is_touched_before_the_final_scoring(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path, *SMALL, *REGRESSION, "score_test=never")
    test = set(run.json("splits.json")["test"])
    assert test
    assert not test & {int(row["row_id"]) for row in run.rows("cv/predictions.csv")}
    assert run.json("run.json")["test_scorings"] == []
    assert "test" not in run.json("metrics.json")


def test_leave_one_out_of_eight_rows(run_in: Any, tmp_path: Path) -> None:
    run = run_in(
        tmp_path,
        *("cv=leave_one_out", "dataset.rows=10", "model=linear", "callbacks=learning_rate", "task=binary"),
        "task.monitor=val_auc",
    )
    summary = run.json("cv/summary.json")
    assert [fold["rows"] for fold in summary["folds"]] == [1] * 8
    assert len(run.rows("cv/predictions.csv")) == 8
    # An area under the curve needs both classes, which all rows together have.
    assert summary["mean"]["auc"] is None
    assert 0 <= summary["out_of_fold"]["auc"] <= 1
    assert run.results.best_value == summary["out_of_fold"]["auc"]


def test_repeats_predict_each_row_again(run_in: Any, tmp_path: Path) -> None:
    run = run_in(
        tmp_path,
        *("cv=repeated_kfold", "cv.folds=2", "cv.repeats=2", "dataset.rows=30", "model=linear"),
        *REGRESSION,
    )
    rows = run.rows("cv/predictions.csv")
    by_repeat = [sorted(row["row_id"] for row in rows if row["repeat"] == repeat) for repeat in ("1", "2")]
    assert by_repeat[0] == by_repeat[1]
    assert len(set(by_repeat[0])) == len(by_repeat[0]) == 24
    assert [fold["repeat"] for fold in run.json("cv/summary.json")["folds"]] == [1, 1, 2, 2]


def test_groups_stay_together_also_in_test_and_validation(run_in: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [f"{random.normal():.3f},{random.integers(0, 2)},g{random.integers(0, 15)}" for _ in range(90)]
    (tmp_path / "data.csv").write_text("\n".join(["x,target,site", *rows]) + "\n")
    run = run_in(
        tmp_path / "run",
        *(
            "dataset=csv",
            f"dataset.path={tmp_path / 'data.csv'}",
            "dataset.target=target",
        ),
        *("cv=group_kfold", "cv.folds=3", "cv.group=site", "model=linear", "callbacks=learning_rate", "task=binary"),
    )
    group = [row.split(",")[2] for row in rows]
    splits = run.json("splits.json")
    in_folds = [
        {group[int(row["row_id"])] for row in run.rows("cv/predictions.csv") if row["fold"] == k} for k in "123"
    ]
    parts = [*in_folds, {group[row] for row in splits["test"]}]
    assert sum(map(len, parts)) == len(set(chain(*parts))) == 15
    assert "site" not in {column["name"] for column in run.json("signature.json")["columns"]}
    assert (
        "site names the groups of the rows and is no feature; cv.group_is_feature=true makes it one."
        in (run.json("run.json")["notes"])
    )
    # The data that is loaded again is that of the run, without the column of the groups.
    assert set(run_dataset(Record(run.path))[0].columns) == {"x"}


def test_folds_in_time_train_on_what_was_before(run_in: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    when = random.permutation(96)
    days = np.datetime64("2020-01-01T00") + when // 2 * np.timedelta64(12, "h")
    rows = [f"{random.normal():.3f},{random.integers(0, 2)},{str(day).replace('T', ' ')}:00" for day in days]
    (tmp_path / "data.csv").write_text("\n".join(["x,target,when", *rows]) + "\n")
    run = run_in(
        tmp_path / "run",
        *("dataset=csv", f"dataset.path={tmp_path / 'data.csv'}", "dataset.target=target", "task=binary"),
        *("split=time", "split.column=when", "split.gap=1", "cv=time", "cv.folds=2", "model=linear"),
        "callbacks=learning_rate",
    )
    tested = when[run.json("splits.json")["test"]]
    trained = when[run.json("splits.json")["train"]]
    assert tested.min() // 2 - trained.max() // 2 == 2
    assert len(trained) + len(tested) == 96 - 2
    scored = {k: when[[int(r["row_id"]) for r in run.rows("cv/predictions.csv") if r["fold"] == k]] for k in "12"}
    assert scored["1"].max() < scored["2"].min()
    assert scored["2"].max() <= trained.max()
    assert "at random" not in str(run.json("run.json")["checks"])
    assert len(run.json("splits.json")["gap"]) == 2
    assert set(run_dataset(Record(run.path))[1]) == {"train", "test", "gap"}


def summary_of(auc: float, mean_auc: float) -> dict[str, Any]:
    scores = {"loss": 0.5, "auc": auc}
    return {
        "folds": [{"fold": number, "rows": 1, "best_epoch": 1, **scores} for number in (1, 2)],
        "mean": {"loss": 0.5, "auc": mean_auc},
        "sd": {"loss": 0.0, "auc": mean_auc},
        "out_of_fold": {"auc": 0.75},
        "baselines": {"mean": {"mean": {"auc": 0.5}, "sd": {"auc": 0.0}}},
    }


class TestTable:
    def test_baseline_that_predicts_the_mean_is_not_the_mean_of_the_folds(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        show_folds(Console(width=120), summary_of(0.5, 0.5))
        names = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
        assert names[-2:] == ["mean", "mean (baseline)"]

    def test_metric_that_no_fold_has_is_told_of_all_together(self, capsys: pytest.CaptureFixture[str]) -> None:
        show_folds(Console(width=120), summary_of(math.nan, math.nan))
        out = capsys.readouterr().out
        assert "undefined" not in out
        assert "auc is not defined on the rows of a single fold; on those of all folds together it is 0.7500." in out


class TestErrors:
    def test_more_folds_than_rows(self, run_in: Any, tmp_path: Path) -> None:
        with pytest.raises(
            ConfigError, match=r"cv.folds: 40 folds are more than the rows of any class outside the test"
        ):
            run_in(tmp_path, "cv=kfold", "cv.folds=40")
        with pytest.raises(ConfigError, match="50 folds need at least 50 rows outside the test part, got 48"):
            run_in(tmp_path, "cv=kfold", "cv.folds=50")
        assert not list(tmp_path.iterdir())

    def test_class_that_a_fold_cannot_train_on(self, run_in: Any, tmp_path: Path) -> None:
        cells = ["a"] * 30 + ["b"] * 30 + ["rare"]
        (tmp_path / "data.csv").write_text("x,target\n" + "".join(f"{i % 7},{cell}\n" for i, cell in enumerate(cells)))
        with pytest.raises(DataError, match="No train row has the class rare"):
            run_in(
                tmp_path / "run",
                *("dataset=csv", f"dataset.path={tmp_path / 'data.csv'}", "dataset.target=target", "cv=kfold"),
            )
        assert not list((tmp_path / "run").iterdir())

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("cv.group=clas",), "cv.group: titanic has no column 'clas'. Did you mean"),
            (("cv.group=embarked",), "column 'embarked' is empty in row"),
            (("cv.group=sex",), "5 folds and a test part need more than 5 groups, and column 'sex' has 2"),
        ],
    )
    def test_group(self, run_in: Any, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
        with pytest.raises((ConfigError, DataError), match=message):
            run_in(tmp_path, "dataset=titanic", "cv=group_kfold", *words)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("cv=kfold", "+cv.repeats=3"), "cv.repeats has no effect with cv=kfold"),
            (("cv=kfold", "+cv.group=a"), "cv.group has no effect with cv=kfold"),
            (("cv=leave_one_out", "+cv.folds=3"), "cv.folds has no effect with cv=leave_one_out"),
            (("cv=kfold", "cv.folds=1"), "cv.folds: expected an integer of at least 2"),
            (("cv=kfold", "seeds=3"), "Use cv=repeated_kfold cv.repeats=3"),
            (("cv=group_kfold",), "cv.group: expected a value, got none"),
        ],
    )
    def test_config(self, compose_config: Any, words: tuple[str, ...], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            compose_config(*words)

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (
                ("cv=kfold", "cv.repeats=3"),
                "cv.repeats has no effect with cv=kfold; expected cv=repeated_kfold.",
            ),
            (
                ("cv=leave_one_out", "cv.folds=5"),
                "cv.folds has no effect with cv=leave_one_out; expected cv=kfold or cv=repeated_kfold or "
                "cv=group_kfold or cv=time.",
            ),
        ],
    )
    def test_key_of_another_option_is_told_once(
        self, compose_config: Any, words: tuple[str, ...], sentence: str
    ) -> None:
        with pytest.raises(ConfigError) as error:
            compose_config(*words)
        assert str(error.value) == sentence

    def test_failed_fold_is_named(self, run_in: Any, tmp_path: Path) -> None:
        with pytest.raises(Exception, match=r"fold \d: .*diverged"):
            run_in(tmp_path, *SMALL, *REGRESSION, "optimizer=sgd", "optimizer.learning_rate=1e30", "trainer.epochs=5")
        assert json.loads((tmp_path / "run.json").read_text())["status"] == "failed"


def test_final_model_takes_raw_rows(finished: Any) -> None:
    model = keras.models.load_model(finished.path / "model.keras")
    assert set(model.input) == {column["name"] for column in finished.json("signature.json")["columns"]}


@pytest.mark.parametrize("problem", ["multiclass", "regression"])
def test_ensemble_is_the_mean_of_the_models_of_the_folds(
    run_in: Any,
    make_journal: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    problem: str,
) -> None:
    from dltrain.experiment import cross_validation

    models: list[keras.Model] = []
    monkeypatch.setattr(cross_validation, "average", lambda parts, task: models.extend(parts) or average(parts, task))
    run = run_in(
        tmp_path,
        *("cv=kfold", "cv.folds=2", "cv.ensemble=true", f"dataset.problem={problem}", "dataset.rows=40"),
        *("model=linear", "callbacks=learning_rate"),
    )
    assert len(models) == 2
    dataset = load_dataset(Record(run.path).config.dataset, make_journal())
    table = pd.read_csv(run.path / "predictions.csv").sort_values("row_id")
    columns = [name for name in table if name.startswith("probability_")] or ["prediction"]
    mean = np.mean([predict(model, dataset) for model in models], axis=0)
    np.testing.assert_allclose(table[columns], mean, rtol=1e-5, atol=1e-6)
    loaded = keras.models.load_model(run.path / "model.keras")
    np.testing.assert_allclose(predict(loaded, dataset), mean, rtol=1e-5, atol=1e-6)
    metrics = run.json("metrics.json")
    assert set(metrics["test"]) == set(metrics["train"]) == set(metrics["cross_validation"]["mean"])
    # An average has no best epoch; of the models that it is made of, the table of folds tells it.
    told = capsys.readouterr().out
    assert "majority" in told or "ridge" in told
    assert "best epoch 1 of 1" not in told
    if problem == "multiclass":
        test = table[table["part"] == "test"]
        assert metrics["test"]["accuracy"] == pytest.approx((test["target"] == test["prediction"]).mean())
    assert [scoring["rows"] for scoring in run.json("run.json")["test_scorings"]] == [8]
