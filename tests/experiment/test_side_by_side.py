"""Trainings of one run at once; what they train is put in the place of networks here."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest
from omegaconf import OmegaConf
from rich.console import Console

from dltrain.base.errors import RunError
from dltrain.config.seed import Seed
from dltrain.experiment.side_by_side import TrainingJob, forget_states, quiet_callbacks, train_side_by_side


def network(*, from_elsewhere: bool) -> keras.Model:
    inputs = keras.Input((1,))
    outputs = keras.layers.Lambda(lambda rows: rows)(inputs) if from_elsewhere else keras.layers.Dense(1)(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    return model


def trained(make_journal: Any, train: Any, *, jobs: int = 3, from_elsewhere: bool = False) -> list[Any]:
    journal: Any = make_journal(console=Console(quiet=True))
    config = OmegaConf.create({"trainer": {"epochs": 1}, "callbacks": {}, "model": {"_target_": "dltrain.x"}})
    made = network(from_elsewhere=from_elsewhere)

    def assemble() -> Any:
        drawn = random.random()
        return SimpleNamespace(network=made, train=lambda *_, seed, **__: train(seed.number, drawn))

    return train_side_by_side(
        [TrainingJob(f"fold {number}", Seed(number, 2), assemble, journal) for number in range(jobs)],
        lambda job, experiment, training: (job.name, training),
        config=config,
        journal=journal,
    )


def test_results_come_in_the_order_of_the_jobs_however_they_end(make_journal: Any) -> None:
    second_is_done = threading.Event()

    def train(seed: int, drawn: float) -> int:
        if seed == 0:
            assert second_is_done.wait(60)
        elif seed == 1:
            second_is_done.set()
        return seed

    assert trained(make_journal, train) == [("fold 0", 0), ("fold 1", 1), ("fold 2", 2)]


def test_each_is_built_right_after_its_seed_was_set(make_journal: Any) -> None:
    results = trained(make_journal, lambda seed, drawn: drawn)
    assert [drawn for _, drawn in results] == [
        random.Random(Seed(number, 2).stream("weights")).random() for number in range(3)
    ]


def test_parts_from_elsewhere_train_in_turn(make_journal: Any) -> None:
    at_work = threading.Lock()

    def train(seed: int, drawn: float) -> bool:
        alone = at_work.acquire(blocking=False)
        threading.Event().wait(0.05)
        at_work.release()
        return alone

    assert [alone for _, alone in trained(make_journal, train, from_elsewhere=True)] == [True] * 3


def test_training_that_fails_is_named(make_journal: Any) -> None:
    def train(seed: int, drawn: float) -> None:
        if seed == 1:
            raise RunError("The loss is NaN.")

    with pytest.raises(RunError, match=r"^fold 1: The loss is NaN\.$"):
        trained(make_journal, train)


def test_callbacks_of_one_of_many_show_no_line_and_keep_no_files(compose_config: Any) -> None:
    nodes = compose_config("callbacks=default").callbacks
    quiet = quiet_callbacks(nodes)
    targets = {name: str(node["_target_"]).rpartition(".")[2] for name, node in quiet.items()}
    assert {name for name in nodes if nodes[name] is not None} - set(targets) == {"progress"}
    assert targets["checkpoint"] == "BestWeights"
    assert nodes.checkpoint["_target_"].endswith(".Checkpoint")


def test_states_of_finished_trainings_are_removed(make_journal: Any, tmp_path: Path) -> None:
    for part in ("cv/fold_1", "cv/fold_2"):
        (tmp_path / part / "checkpoints").mkdir(parents=True)
    forget_states(make_journal(tmp_path), ["cv/fold_1", "cv/fold_3"])
    assert [path.parent.name for path in tmp_path.rglob("checkpoints")] == ["fold_2"]
