"""Every dataset goes from its source to a run directory."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from dltrain.cli.main import main


class Finished(NamedTuple):
    """A run directory."""

    path: Path

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text("utf-8"))


Train = Callable[..., Finished]


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Runs a command line in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*words: str) -> Finished:
        assert main([*words, "hydra.run.dir=run", "quiet=true"]) == 0
        return Finished(tmp_path / "run")

    return run


@pytest.fixture
def smoke(train: Train) -> Train:
    """Runs a command line with `experiment=smoke`, on the model that is traced fastest where it names none."""

    def run(*words: str) -> Finished:
        named = any(word.startswith("model=") for word in words)
        return train("experiment=smoke", *words, *([] if named else ["model=linear"]))

    return run


def real(name: str) -> Path:
    """A file of the folder DLTRAIN_TEST_DATA."""
    folder = os.environ.get("DLTRAIN_TEST_DATA")
    if not folder:
        pytest.skip("DLTRAIN_TEST_DATA names no folder of real data files")
    path = Path(folder, name)
    if not path.exists():
        pytest.skip(f"DLTRAIN_TEST_DATA has no {name}")
    return path


def assert_complete(run: Finished, task: str) -> pd.DataFrame:
    """A finished run of a task, its test part scored; gives its predictions."""
    assert run.json("run.json")["status"] == "completed"
    metrics = run.json("metrics.json")
    first = {"regression": "rmse", "unit_regression": "rmse"}.get(task, "accuracy")
    for part in ("train", "validation", "test"):
        assert np.isfinite(metrics[part][first]), (part, metrics[part])
    predictions = pd.read_csv(run.path / "predictions.csv")
    assert Counter(predictions["part"]) == {part: len(ids) for part, ids in run.json("splits.json").items()}
    assert (run.path / "model.keras").stat().st_size > 0
    return predictions


@pytest.mark.parametrize(
    ("words", "task"),
    [
        (["dataset=titanic"], "binary"),
        (["dataset=titanic", "dataset.engineered=true", "encoding=embedding"], "binary"),
        (["dataset=wine"], "multiclass"),
        (["dataset=digits"], "multiclass"),
        (["dataset=mnist"], "multiclass"),
        (["dataset=boston"], "regression"),
        (["dataset=synthetic", "dataset.problem=multilabel"], "multilabel"),
        (["dataset=synthetic", "dataset.problem=unit_regression", "task=unit_regression"], "unit_regression"),
        (["dataset=synthetic", "dataset.kind=text", "model=text_bag"], "binary"),
        (["dataset=synthetic", "dataset.kind=image", "dataset.problem=multiclass"], "multiclass"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else words,
)
def test_shipped_data(smoke: Train, words: list[str], task: str) -> None:
    assert_complete(smoke(*words), task)


def test_own_table(train: Train, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "id": [f"house {row}" for row in range(50)],
            "area": generator.uniform(40, 200, 50).round(),
            "zip": generator.choice(["07743", "10115", "Ö 1"], 50),
            "price": generator.uniform(1e5, 1e6, 50).round(2),
        }
    )
    table.to_csv(tmp_path / "houses.csv", index=False, sep=";", encoding="latin-1")
    words = ("dataset=csv", "dataset.path=houses.csv", "dataset.target=price", "dataset.id_column=id")
    run = train("experiment=smoke", *words)  # with the model that its rows decide
    predictions = assert_complete(run, "regression")
    assert set(predictions["row_id"]) == set(table["id"])
    assert run.json("run.json")["data"]["name"] == "houses"


FEW_WORDS = ("rows=200", "model=text_bag", "text.vocabulary_size=50", "text.sequence_length=5")


class TestRealFiles:
    def test_titanic_of_kaggle(self, smoke: Train) -> None:
        path = real("titanic/kaggle_train.csv")
        run = smoke("dataset=titanic", f"dataset.path={path}", "dataset.engineered=true")
        assert_complete(run, "binary")
        assert "60 of 891 rows are used (rows=60)" in run.json("run.json")["notes"]

    def test_wine_quality(self, train: Train) -> None:
        path = real("wine_quality/winequality-white.csv")
        run = train(
            "experiment=wine_quality", f"dataset.path={path}", "model.units=[2]", "rows=100", "trainer.epochs=1"
        )
        assert_complete(run, "regression")
        assert run.json("run.json")["data"]["name"] == "winequality-white"

    @pytest.mark.parametrize("name", ["housing.data", "boston_housing.npz"])
    def test_boston(self, smoke: Train, name: str) -> None:
        run = smoke("dataset=boston", f"dataset.path={real(f'boston/{name}')}")
        assert_complete(run, "regression")
        assert "60 of 506 rows are used (rows=60)" in run.json("run.json")["notes"]

    def test_emotions(self, smoke: Train) -> None:
        labels = "[amazed-suprised,happy-pleased,relaxing-calm,quiet-still,sad-lonely,angry-aggresive]"
        path = real("emotions/emotions.arff.gz")
        run = smoke("dataset=csv", f"dataset.path={path}", f"dataset.target={labels}")
        predictions = assert_complete(run, "multilabel")
        assert {"target_sad-lonely", "probability_sad-lonely"} <= set(predictions)

    @pytest.mark.slow
    def test_imdb_sentiment(self, smoke: Train) -> None:
        path = real("imdb/aclImdb_labeled_50k.tar.gz")
        run = smoke("dataset=imdb", f"dataset.path={path}", *FEW_WORDS)
        assert_complete(run, "binary")
        parts = {part: {name.split("/")[0] for name in ids} for part, ids in run.json("splits.json").items()}
        assert parts == {"train": {"train"}, "validation": {"train"}, "test": {"test"}}

    @pytest.mark.parametrize("task", ["regression", "unit_regression"])
    def test_imdb_rating(self, smoke: Train, task: str) -> None:
        path = real("imdb/aclImdb_labeled_50k.tar.gz")
        run = smoke("dataset=imdb", f"dataset.path={path}", "dataset.target=rating", f"task={task}", *FEW_WORDS)
        predictions = assert_complete(run, task)
        assert predictions["target"].between(1, 10).all()
        if task == "unit_regression":
            assert predictions["prediction"].between(1, 10).all()

    @pytest.mark.slow
    def test_official_test_reviews_stay_intact(self, train: Train) -> None:
        path = real("imdb/aclImdb_labeled_50k.tar.gz")
        small = ("text.vocabulary_size=50", "text.sequence_length=5")
        run = train("dataset=imdb", f"dataset.path={path}", *small, "trainer.batch_size=auto", "trainer.epochs=1")
        splits = run.json("splits.json")
        assert {part: len(ids) for part, ids in splits.items()} == {
            "train": 22_500,
            "validation": 2_500,
            "test": 25_000,
        }
        assert all(name.startswith("test/") for name in splits["test"])
        assert len(set(splits["test"])) == 25_000
        assert not any(name.startswith("test/") for part in ("train", "validation") for name in splits[part])
