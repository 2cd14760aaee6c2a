from __future__ import annotations

import gc
import json
from itertools import chain
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from sklearn.metrics import accuracy_score, roc_auc_score

from dltrain.base.errors import ConfigError, DataError, RunError
from dltrain.inference.model import Model
from dltrain.preprocessing.prepared import Prepared

SMALL = ("model.units=[2]", "dataset.problem=multiclass", "trainer.epochs=2")
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def finished(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_in(tmp_path_factory.mktemp("finished"), *SMALL, "score_test=always")


class TestDirectory:
    def test_holds_what_it_says(self, finished: Any) -> None:
        found = {str(path.relative_to(finished.path)) for path in finished.path.rglob("*") if path.is_file()}
        events = {name for name in found if name.startswith("tensorboard/")}
        assert {name.split("/")[1] for name in events} == {"train", "validation"}
        # The state before the last one, where the machine took long enough for two.
        assert found - events - {"checkpoints/training.previous.state"} == {
            "config.yaml",
            "dltrain.log",
            "history.csv",
            "metrics.json",
            "model.keras",
            "predictions.csv",
            "run.json",
            "signature.json",
            "splits.json",
            "checkpoints/best.keras",
            "checkpoints/last.keras",
            "checkpoints/state.json",
            "checkpoints/training.state",
        }

    def test_start_cut_off_before_the_record_is_begun_again(self, run_in: Any, tmp_path: Path) -> None:
        words = ("model=linear", "trainer.epochs=1")
        first = run_in(tmp_path, *words)
        for path in first.path.iterdir():
            if path.is_file() and path.name != "config.yaml":
                path.unlink()
        with pytest.raises(ConfigError, match=r"holds another run \(config\.yaml\)"):
            run_in(tmp_path, *words, "seed=1")
        assert run_in(tmp_path, *words).json("run.json")["status"] == "completed"

    def test_run_says_what_was_done(self, finished: Any) -> None:
        run = finished.json("run.json")
        assert run["status"] == "completed"
        assert run["seed"] == 42
        assert run["started"] < run["finished"]
        assert run["batch_size"] == 32
        assert run["steps_per_epoch"] == 2
        assert run["data"]["rows"] == 60
        assert len(run["data"]["sha256"]) == 64
        assert {"python", "tensorflow", "keras", "numpy"} <= {name for name, value in run["versions"].items() if value}
        assert "model.units=[2]" in run["overrides"]
        assert any("made-up data" in note for note in run["notes"])
        (scoring,) = run["test_scorings"]
        assert scoring["rows"] == 12

    def test_metrics(self, finished: Any) -> None:
        metrics = finished.json("metrics.json")
        assert set(metrics) == {
            *(*PARTS, "intervals", "baselines", "difference", "notes"),
            *("best_epoch", "epochs", "best_value", "monitor"),
        }
        assert metrics["difference"]["part"] == "test"
        assert any("this split and this seed alone" in note for note in metrics["notes"])
        assert metrics["epochs"] == 2
        for part in PARTS:
            assert set(metrics[part]) == {"loss", "accuracy"}
        assert set(metrics["intervals"]) == {"test"}
        for name, (low, high) in metrics["intervals"]["test"].items():
            assert low <= metrics["test"][name] <= high
        assert set(metrics["baselines"]) == {"majority", "logistic regression"}
        for scores in metrics["baselines"].values():
            assert set(scores) == set(PARTS)

    def test_history_has_a_row_an_epoch(self, finished: Any) -> None:
        rows = finished.rows("history.csv")
        assert list(rows[0]) == ["epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy"]
        assert [row["epoch"] for row in rows] == ["1", "2"]
        metrics = finished.json("metrics.json")
        best = rows[metrics["best_epoch"] - 1]
        assert float(best["val_loss"]) == metrics["best_value"]
        assert min(float(row["val_loss"]) for row in rows) == metrics["best_value"]
        # The weights of the best epoch are those that are scored.
        assert metrics["validation"]["loss"] == pytest.approx(metrics["best_value"], rel=1e-6)

    def test_splits_hold_each_row_once(self, finished: Any) -> None:
        splits = finished.json("splits.json")
        assert {part: len(ids) for part, ids in splits.items()} == {"train": 36, "validation": 12, "test": 12}
        assert sorted(chain(*splits.values())) == list(range(60))

    def test_predictions_agree_with_the_metrics(self, finished: Any) -> None:
        table = pd.read_csv(finished.path / "predictions.csv")
        classes = ["class_0", "class_1", "class_2"]
        assert list(table) == ["row_id", "part", "target", "prediction", *(f"probability_{name}" for name in classes)]
        probabilities = table[[f"probability_{name}" for name in classes]].to_numpy()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert (table["prediction"] == np.array(classes)[probabilities.argmax(axis=1)]).all()
        splits, metrics = finished.json("splits.json"), finished.json("metrics.json")
        for part, rows in table.groupby("part"):
            assert sorted(rows["row_id"]) == sorted(splits[part])
            assert accuracy_score(rows["target"], rows["prediction"]) == pytest.approx(metrics[part]["accuracy"])

    def test_config_is_the_resolved_one(self, finished: Any) -> None:
        config = OmegaConf.load(finished.path / "config.yaml")
        assert list(config.model.units) == [2]
        assert "${" not in (finished.path / "config.yaml").read_text()

    def test_log_tells_the_split_and_each_epoch(self, finished: Any) -> None:
        log = (finished.path / "dltrain.log").read_text()
        assert "train 36, validation 12, test 12" in log
        assert "epoch 2:" in log

    def test_best_checkpoint_is_the_network_of_the_best_epoch(self, finished: Any) -> None:
        best = keras.models.load_model(finished.path / "checkpoints" / "best.keras")
        state = finished.json("checkpoints/state.json")
        assert state["best_epoch"] == finished.json("metrics.json")["best_epoch"]
        assert state["step"] == 4
        table = pd.read_csv(finished.path / "predictions.csv")
        assert best.output_shape[-1] == sum(name.startswith("probability_") for name in table)


def test_same_seed_same_files_and_another_seed_others(run_in: Any, tmp_path: Path) -> None:
    quick = ("model.units=[2]", "dataset.problem=regression", "model.dropout=0.5")
    first, again, other = (
        run_in(tmp_path / name, *quick, f"seed={seed}") for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for name in ("history.csv", "predictions.csv", "splits.json", "metrics.json"):
        content = [(run.path / name).read_bytes() for run in (first, again, other)]
        assert content[0] == content[1], name
        assert content[0] != content[2], name


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["optimizer.learning_rate=0.02"], "Adam, learning rate 0.02\n"),
        (["schedule=cosine"], "Adam, learning rate 0.001 along cosine\n"),  # which begins at 0
    ],
)
def test_header_tells_the_learning_rate(
    run_in: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    run_in(tmp_path, "model=linear", "trainer.epochs=1", "quiet=false", *words)
    header = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("optimizer"))
    assert header.split(maxsplit=1)[1].rstrip() + "\n" == told


def test_sealed_test_part_is_scored_nowhere(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path, "model=linear", "dataset.problem=multiclass", "score_test=never")
    assert run.json("run.json")["test_scorings"] == []
    metrics = run.json("metrics.json")
    assert "test" not in metrics
    assert metrics["intervals"] == {}
    assert all("test" not in scores for scores in metrics["baselines"].values())
    assert {row["part"] for row in run.rows("predictions.csv")} == {"train", "validation"}
    assert len(run.json("splits.json")["test"]) == 12


class Failing(keras.callbacks.Callback):
    """Raises at the end of the first epoch."""

    def __init__(self, error: str) -> None:
        super().__init__()
        self.error = {"KeyboardInterrupt": KeyboardInterrupt, "ValueError": ValueError}[error]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        raise self.error("by the test")


@pytest.mark.parametrize(("error", "status"), [("KeyboardInterrupt", "interrupted"), ("ValueError", "failed")])
def test_run_that_breaks_off_says_so(run_in: Any, tmp_path: Path, error: str, status: str) -> None:
    callback = (f"+callbacks.failing._target_={__name__}.Failing", f"+callbacks.failing.error={error}")
    with pytest.raises((KeyboardInterrupt, ValueError)):
        run_in(tmp_path, "model=linear", "dataset.problem=regression", *callback)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["status"] == status
    assert run["error"] == ("interrupted (Ctrl-C)" if status == "interrupted" else "by the test")
    assert run["test_scorings"] == []
    assert not (tmp_path / "metrics.json").exists()
    assert not (tmp_path / "model.keras").exists()
    assert not list(tmp_path.rglob(".part-*"))


def test_training_that_diverges_fails_with_epoch_and_learning_rate(run_in: Any, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"diverged in epoch \d+: loss .*, learning rate 1e\+30"):
        run_in(
            tmp_path,
            "model=linear",
            "dataset.problem=regression",
            "optimizer=sgd",
            "optimizer.learning_rate=1e30",
            "trainer.epochs=9",
        )
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["status"] == "failed"
    assert "learning rate 1e+30" in run["error"]
    assert run["test_scorings"] == []


def write_huge(path: Path, row: int | None) -> tuple[str, ...]:
    """A table whose column b cannot be held in 32 bits in one row, and the overrides of a run on it."""
    table = pd.DataFrame({"a": np.arange(30.0), "b": np.arange(30.0) % 7, "target": np.sin(np.arange(30.0))})
    if row is not None:
        table.loc[row, "b"] = 1e300
    table.to_csv(path, index=False)
    return ("dataset=csv", f"dataset.path={path}", "dataset.target=target", "scaling=none", "model=linear")


def test_value_that_overflows_fails_before_training(run_in: Any, stage_of: Any, tmp_path: Path) -> None:
    overrides = write_huge(tmp_path / "table.csv", row=None)
    row = int(stage_of(*overrides).data.split.train[0])
    overrides = write_huge(tmp_path / "table.csv", row=row)
    with pytest.raises(DataError, match=rf"Column 'b' is inf after preprocessing in row {row}"):
        run_in(tmp_path / "run", *overrides)
    # Nothing was trained, so that nothing is left behind.
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize("engine", ["resident", "streaming"])
def test_value_that_overflows_in_the_test_part_is_found_before_training(
    run_in: Any, stage_of: Any, tmp_path: Path, engine: str
) -> None:
    overrides = write_huge(tmp_path / "table.csv", row=None)
    row = int(stage_of(*overrides).data.split.test[0])
    overrides = write_huge(tmp_path / "table.csv", row=row)
    with pytest.raises(DataError, match=rf"Column 'b' is inf after preprocessing in row {row}"):
        run_in(tmp_path / "run", *overrides, f"trainer.engine={engine}", "score_test=always")
    assert list((tmp_path / "run").iterdir()) == []


class Snooping(keras.callbacks.Callback):
    """Looks for the data in memory, to score the test part during the training."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        (data,) = [each for each in gc.get_objects() if type(each) is Prepared][-1:]
        if self.way == "take":
            data.dataset.take(data.split.test)
        else:
            getattr(data, self.way)("test")


@pytest.mark.parametrize("way", ["rows", "features", "source", "raw", "truth", "take"])
def test_callback_that_reaches_for_the_test_part_ends_the_run(run_in: Any, tmp_path: Path, way: str) -> None:
    gc.collect()
    callback = (f"+callbacks.snooping._target_={__name__}.Snooping", f"+callbacks.snooping.way={way}")
    with pytest.raises(RunError, match=r"sealed until the final scoring|given by part alone"):
        run_in(tmp_path, "model=linear", "dataset.problem=regression", "score_test=always", *callback)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["status"] == "failed"
    assert run["test_scorings"] == []
    assert not (tmp_path / "metrics.json").exists()


class Late(keras.callbacks.Callback):
    """Finds a fault of the data when the training is under way."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        raise DataError("row 3 cannot be read any more")


def test_fault_of_the_data_during_training_keeps_the_run(run_in: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 3"):
        run_in(tmp_path, "model=linear", "dataset.problem=regression", f"+callbacks.late._target_={__name__}.Late")
    run = json.loads((tmp_path / "run.json").read_text())
    assert (run["status"], run["error"]) == ("failed", "row 3 cannot be read any more")


def test_part_of_one_class_has_no_area(run_in: Any, make_dataset: Any, tmp_path: Path) -> None:
    table = pd.DataFrame({"a": np.arange(30.0), "b": np.sin(np.arange(30.0)), "target": [1, 1] + [0] * 28})
    table.to_csv(tmp_path / "table.csv", index=False)
    run = run_in(
        tmp_path / "run",
        *("dataset=csv", f"dataset.path={tmp_path / 'table.csv'}", "dataset.target=target"),
        *("model=linear", "score_test=always", "split=ratio"),
        *("split.train=0.9", "split.validation=0.05", "split.test=0.05"),
    )
    metrics = run.json("metrics.json")
    assert metrics["test"]["auc"] is None
    assert metrics["baselines"]["majority"]["test"]["auc"] is None
    assert "auc of test is undefined: its rows are all of one class." in metrics["notes"]
    assert metrics["difference"]["interval"] is None


def test_an_area_has_one_exact_value_wherever_it_is_told(run_in: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"a": generator.standard_normal(1_000), "target": [1] * 30 + [0] * 970})
    table["a"] += table["target"]
    table.to_csv(tmp_path / "table.csv", index=False)
    run = run_in(
        tmp_path / "run",
        *("dataset=csv", f"dataset.path={tmp_path / 'table.csv'}", "dataset.target=target", "task=binary"),
        *(
            "model=linear",
            "score_test=always",
            "split=ratio",
            "task.monitor=val_auc",
            "task.metrics.auc.num_thresholds=3",
        ),
        *("split.train=0.4", "split.validation=0.3", "split.test=0.3"),
    )
    metrics = run.json("metrics.json")
    answers = pd.read_csv(run.path / "predictions.csv")
    for part, rows in answers.groupby("part"):
        assert metrics[part]["auc"] == pytest.approx(roc_auc_score(rows["target"], rows["probability_1"]), abs=1e-12)
    assert metrics["best_value"] == metrics["validation"]["auc"] != float(run.rows("history.csv")[0]["val_auc"])
    assert "No interval of auc: the rarer class has 9 of the 10 rows that one needs." in metrics["notes"]
    assert "auc: exact here; within epochs (history.csv, curves) over thresholds." in metrics["notes"]
    of_test = table.loc[answers.loc[answers["part"] == "test", "row_id"]]
    assert Model(run.path).evaluate(of_test).metrics["auc"]["value"] == pytest.approx(metrics["test"]["auc"], abs=1e-3)


def test_rows_limit_and_missing_targets_are_told(run_in: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"a": generator.standard_normal(50), "target": generator.standard_normal(50)})
    table.loc[:4, "target"] = np.nan
    table.to_csv(tmp_path / "table.csv", index=False)
    run = run_in(
        tmp_path,
        "dataset=csv",
        f"dataset.path={tmp_path / 'table.csv'}",
        "dataset.target=target",
        "model=linear",
        "rows=20",
    )
    facts = run.json("run.json")
    assert "5 rows dropped: the target is missing" in facts["notes"]
    assert "20 of 45 rows are used (rows=20)" in facts["notes"]
    assert facts["data"]["rows"] == 20
    kept = list(chain(*run.json("splits.json").values()))
    assert len(kept) == 20
    assert not {0, 1, 2, 3, 4} & set(kept)
