"""search=best: which jobs run until the made clock has run out, and the ensemble of real ones."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dltrain.cli import main as cli
from dltrain.config.auto_model import Rows
from dltrain.config.recipes import Recipe, recipe_of
from dltrain.record.record import Record
from dltrain.sweeps import clock, ensemble
from dltrain.sweeps.best import promising, small_images
from dltrain.sweeps.ledger import Entry, Ledger

from .conftest import leave_a_run

FakeRun = Callable[[Callable[[DictConfig], Any]], list[str]]
SECONDS = 32.0  # of a job of the made clock
WORDS = ["search=best", "dataset=wine", "hydra.sweep.dir=here"]
# Many minutes, since jobs, and not a clock, end it on a slow machine too.
REAL = ["search=best", "search.minutes=60", "dataset=wine", "trainer.epochs=1", "search.jobs=4", "report=false"]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A clock that jobs set, and no ensemble of jobs that are not real."""
    made: dict[str, Any] = {"time": 0.0, "limits": []}
    monkeypatch.setattr(clock, "now", lambda: made["time"])
    monkeypatch.setattr(ensemble, "ensemble_of", lambda *_, **__: None)
    return made


def taking(made: dict[str, Any], seconds: float) -> Callable[[DictConfig], float]:
    """Returns a job that takes so many seconds, and is the better the nearer its learning rate is to 0.01."""

    def job(config: DictConfig) -> float:
        made["limits"].append(
            (clock.train_until(Path("here"), Path(HydraConfig.get().runtime.output_dir).name) or 0.0) - made["time"]
        )
        made["time"] += seconds
        return leave_a_run(config, best_value=abs(np.log10(config.optimizer.learning_rate) + 2), seconds=seconds)

    return job


def names(folder: str = "here") -> list[str]:
    return [(recipe_of(entry.overrides) or ("", []))[0] for entry in Ledger(Path(folder)).entries()]


@pytest.mark.slow
def test_starts_come_first_and_the_minutes_end_it(fake_run: FakeRun, made: dict[str, Any]) -> None:
    fake_run(taking(made, SECONDS))
    cli.main([*WORDS, "search.minutes=5"])
    assert made["time"] <= 300
    assert names()[:4] == ["tabular", "neighbors", "linear", "periodic"]
    assert names()[4:6] == ["mlp", "tabular"]  # their second and third starts
    assert 7 <= len(names()) <= 9
    assert len({tuple(entry.overrides) for entry in Ledger(Path("here")).entries()}) == len(names())
    # No job may train beyond the end, and the first ones leave time to the others.
    assert all(0 < limit <= 300 - SECONDS * place for place, limit in enumerate(made["limits"]))
    assert made["limits"][0] < 150
    # Once more: no time is left.
    before = len(names())
    cli.main(["resume", "here"])
    assert len(names()) == before
    # More minutes go on with it.
    cli.main(["resume", "here", "search.minutes=6"])
    assert before < len(names()) <= before + 3


def test_the_better_half_of_the_recipes_is_drawn_from() -> None:
    recipes = [Recipe(name, (), (), ()) for name in ("linear", "tabular", "periodic", "mlp", "other")]

    def entry(name: str, value: float | None) -> Entry:
        status = "failed" if value is None else "completed"
        words = [f"search.recipe={name}"]
        return Entry(name, overrides=words, status=status, monitor="val_loss", direction="min", value=value)

    values = [("linear", 0.9), ("tabular", 0.3), ("tabular", 1.0), ("mlp", 0.4), ("other", None)]
    entries = [entry(*each) for each in values]
    assert promising(recipes, []) == recipes
    assert [each.name for each in promising(recipes, entries)] == ["tabular", "mlp"]
    assert promising(recipes[:1], entries) == []  # where the better ones have no time
    both = [*entries, entry("periodic", 0.2), entry("other", 2.0)]
    assert [each.name for each in promising(recipes, both)] == ["tabular", "periodic", "mlp"]
    assert [each.name for each in promising(recipes, entries[:1])] == ["linear"]


@pytest.mark.slow
def test_what_a_killed_search_has_spent_counts(fake_run: FakeRun, made: dict[str, Any]) -> None:
    fake_run(taking(made, SECONDS))
    cli.main([*WORDS, "search.minutes=2.5"])
    whole = Path("here/sweep.jsonl").read_text().splitlines(keepends=True)
    overrides = [entry.overrides for entry in Ledger(Path("here")).entries()]
    # Killed in its third job: two lines are there, and the clock as it stood when that job began.
    Path("here/sweep.jsonl").write_text("".join(whole[:2]))
    for job in range(2, len(whole)):
        shutil.rmtree(f"here/{job}")
    Path("here", clock.FILE).write_text(json.dumps({"spent": 2 * SECONDS + clock.START_SECONDS}))
    made["time"] = 0.0
    cli.main(["resume", "here"])
    again = [entry.overrides for entry in Ledger(Path("here")).entries()]
    assert again == overrides[: len(again)]  # the same jobs in the same order
    assert len(whole) - 1 <= len(again) <= len(whole)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("model=linear", {"linear"}), ("model=tabular", {"tabular", "periodic"}), ("search.recipe=mlp", {"mlp"})],
)
def test_typed_words_keep_the_search_within_them(
    fake_run: FakeRun, made: dict[str, Any], word: str, expected: set[str]
) -> None:
    fake_run(taking(made, SECONDS))
    cli.main([*WORDS, word, "optimizer=adamw", "optimizer.weight_decay=0.02", "search.jobs=3"])
    assert {*names()} == expected
    assert all(Record(f"here/{job}").json("run.json") for job in range(3))
    assert all("optimizer.weight_decay=0.02" in entry.overrides for entry in Ledger(Path("here")).entries())


@pytest.mark.parametrize(
    ("words", "recipe", "folded"),
    [
        (["dataset=csv", "dataset.path=mixed.csv"], "mixed", True),
        (["dataset=csv", "dataset.path=texts.csv"], "fitted", True),
        (["dataset=digits"], "shifted", True),
        (["dataset=digits", "search.minutes=2"], "shifted", False),
    ],
)
def test_the_kinds_of_the_columns_decide_the_recipes_and_the_folds(
    fake_run: FakeRun, made: dict[str, Any], words: list[str], recipe: str, folded: bool
) -> None:
    fake_run(taking(made, SECONDS))
    texts = [
        f"the {word} number {number} of many words that say a thing" for number in range(30) for word in ("a", "b")
    ]
    table = pd.DataFrame({"text": texts, "size": np.arange(60) / 7, "kind": ["x", "y"] * 30})
    table.to_csv("mixed.csv", index=False)
    table.drop(columns="size").to_csv("texts.csv", index=False)
    target = ["dataset.target=kind"] if "dataset=csv" in words else []
    assert cli.main(["search=best", "hydra.sweep.dir=here", "search.jobs=1", *words, *target]) in (0, 1)
    assert names() == [recipe]
    (entry,) = Ledger(Path("here")).entries()
    assert ("cv=kfold" in entry.overrides) is folded


def test_an_image_counts_as_its_pixels() -> None:
    assert small_images(Rows(10, {"a": "image"}, (28, 28, 1))) == 1
    assert small_images(Rows(10, {"a": "image"}, (64, 64, 3))) == 4
    assert small_images(Rows(10, {"a": "text"})) == 1


def test_several_values_are_refused(capsys: pytest.CaptureFixture[str], made: dict[str, Any]) -> None:
    assert cli.main([*WORDS, "optimizer=adam,sgd"]) == 2
    assert "one value for each key" in capsys.readouterr().err


TRACKER = """
import json


class Tracker:
    def begin(self, directory, name, settings, tags):
        with open(directory.path.parent / "told.jsonl", "a") as file:
            file.write(json.dumps([name, settings]) + chr(10))

    def epoch(self, number, values): ...

    def end(self, directory, *, register):
        with open(directory.path.parent / "told.jsonl", "a") as file:
            file.write(json.dumps([directory.facts["status"], register]) + chr(10))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A search of four jobs of one epoch, with folds, for all tests of its ensemble."""
    before, place = Path.cwd(), tmp_path_factory.mktemp("best")
    os.chdir(place)
    (place / "tracker_of_best.py").write_text(TRACKER)
    path = pytest.MonkeyPatch()
    path.syspath_prepend(place)
    assert (
        cli.main(
            [
                *REAL,
                "search.recipe=mlp",
                "model.units=[4]",
                "cv=kfold",
                "cv.folds=2",
                "quiet=true",
                "+tracking.own={_target_:tracker_of_best.Tracker}",
                "hydra.sweep.dir=sweep",
            ]
        )
        == 0
    )
    os.chdir(before)
    yield place / "sweep"
    path.undo()


def answers(run: Path) -> Any:
    table = pd.read_csv(run / "predictions.csv")
    table = table[table["part"] == "train"].sort_values("row_id")
    return table[[name for name in table if name.startswith("probability_")]].to_numpy()


@pytest.mark.slow
def test_the_ensemble_is_the_weighted_mean_of_its_members(found: Path) -> None:
    record = Record(found / "ensemble")
    assert record.status == "completed"
    assert sum(each["weight"] for each in record.members) == pytest.approx(1)
    mean = sum(each["weight"] * answers(found / each["job"]) for each in record.members)
    np.testing.assert_allclose(answers(record.path), mean, atol=1e-5)
    model = keras.models.load_model(record.path / "model.keras", compile=False)
    assert model.name == "dltrain"
    # It is no worse on rows that its members were not trained on than the best of the jobs.
    jobs = [Record(found / str(job)).folds or {} for job in range(4)]
    assert len({each["val_loss"] for each in jobs}) == 4
    assert (record.folds or {})["val_loss"] < min(each["val_loss"] for each in jobs) + 0.01


@pytest.mark.slow
def test_the_test_part_is_scored_once_by_the_ensemble_alone(found: Path) -> None:
    assert len(Record(found / "ensemble").facts["test_scorings"]) == 1
    assert not any(Record(found / str(job)).facts["test_scorings"] for job in range(4))
    assert not any("test" in Record(found / str(job)).metrics for job in range(4))


@pytest.mark.slow
def test_trackers_get_the_ensemble_with_what_its_members_share(found: Path) -> None:
    told = [json.loads(line) for line in (found / "told.jsonl").read_text().splitlines()]
    (place,) = [place for place, each in enumerate(told) if each[0] == "sweep/ensemble"]
    assert told[place + 1] == ["completed", True]
    settings = told[place][1]
    assert (settings["model"], settings["dataset"], settings["trainer.epochs"]) == ("ensemble", "wine", 1)
    assert "optimizer.learning_rate" not in settings
    assert sum(each[0].startswith("sweep/") for each in told) == 5


@pytest.mark.slow
def test_a_resumed_search_without_time_leaves_the_ensemble_alone(found: Path) -> None:
    before = (found / "ensemble" / "run.json").read_bytes()
    assert cli.main(["resume", str(found)]) == 0
    assert (found / "ensemble" / "run.json").read_bytes() == before


@pytest.mark.slow
def test_it_is_reproduced_to_the_last_digit(found: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reproduce", str(found), "--output", str(tmp_path / "again"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["identical"] is True


@pytest.mark.slow
def test_a_sweep_stands_for_its_ensemble(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", str(found), "--json"]) == 0
    assert "its ensemble is used" in capsys.readouterr().err
    assert cli.main(["runs", str(found.parent)]) == 0
    shown = capsys.readouterr().out
    assert "sweep of 4" in shown
    assert "best: ensemble" in shown


@pytest.mark.slow
def test_the_report_tells_the_members_with_their_weights(found: Path) -> None:
    assert cli.main(["report", str(found / "ensemble")]) == 0
    page = (found / "ensemble" / "report.html").read_text()
    assert "Members of the ensemble" in page
    assert all(f"{each['weight']:.3f}" in page for each in Record(found / "ensemble").members)


@pytest.mark.slow
def test_the_ensemble_alone_is_not_trained_on(found: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["resume", str(found / "ensemble"), "trainer.epochs=5"]) == 2
    assert "To go on with the search" in capsys.readouterr().err
