"""The same seed gives the same files, byte for byte, however a run is started."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.config.compose import Composer
from dltrain.internals import determinism
from dltrain.internals.determinism import fix_randomness, is_deterministic, seed_generators

FILES = ("history.csv", "predictions.csv", "metrics.json")
WORDS = ("model.units=[3]", "model.dropout=0.3", "trainer.batch_size=16", "trainer.epochs=3", "score_test=always")


def test_run_is_the_same_alone_after_others_and_streamed(run_in: Any, tmp_path: Path) -> None:
    first = run_in(tmp_path / "first", *WORDS, "seed=3").path
    other = run_in(tmp_path / "other", *WORDS, "seed=4").path
    again = run_in(tmp_path / "again", *WORDS, "seed=3").path
    streamed = run_in(tmp_path / "streamed", *WORDS, "seed=3", "trainer.engine=streaming").path
    for name in FILES:
        assert (again / name).read_bytes() == (first / name).read_bytes(), name
        assert (streamed / name).read_bytes() == (first / name).read_bytes(), name
    assert (other / "history.csv").read_bytes() != (first / "history.csv").read_bytes()


@pytest.mark.parametrize(("wanted", "gpus", "found"), [(True, 1, True), (False, 0, False), ("auto", 0, True)])
def test_auto_asks_for_deterministic_operations_where_no_gpu_is(
    wanted: Any, gpus: int, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [object()] * gpus)
    config = Composer().compose(["dataset=synthetic", f"trainer.deterministic={wanted}"])
    fix_randomness(config, 1)
    assert is_deterministic() is found
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [object()])
    fix_randomness(Composer().compose(["dataset=synthetic", "trainer.deterministic=auto"]), 1)
    assert is_deterministic() is False


def test_compiled_graphs_are_kept_unless_code_from_elsewhere_may_draw_from_tensorflow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(tf.random, "set_seed", seeded.append)
    config = Composer().compose(["dataset=synthetic", "optimizer=sgd"])
    while not seeded:  # once in so many times; from there on they are counted
        seed_generators(0, config)
    seeded.clear()

    seed_generators(1, config)
    drawn = [random.random(), np.random.random(), float(keras.random.uniform(()))]
    seed_generators(1, config)

    assert [random.random(), np.random.random(), float(keras.random.uniform(()))] == drawn
    assert not seeded
    seed_generators(2, Composer().compose(["dataset=synthetic", "+callbacks.own._target_=json.JSONDecoder"]))
    assert seeded == [2]
    for _ in range(determinism.RESEED_EVERY):
        seed_generators(1, config)
    assert seeded == [2, 1]


@pytest.mark.slow
def test_run_is_the_same_as_tenth_job_and_under_joblib(tmp_path: Path) -> None:
    words = ["dataset=synthetic", "dataset.rows=200", *WORDS, "quiet=true"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def dltrain(*more: str) -> None:
        command = [sys.executable, "-m", "dltrain", *words, *more]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)

    dltrain("seed=9", "hydra.run.dir=alone")
    dltrain("-m", "seed=range(0,10)", "hydra.sweep.dir=sweep")
    dltrain("-m", "seed=8,9", "hydra/launcher=joblib", "hydra.sweep.dir=joblib")
    for folder in ("sweep/9", "joblib/1"):
        for name in FILES:
            assert (tmp_path / folder / name).read_bytes() == (tmp_path / "alone" / name).read_bytes(), (folder, name)
