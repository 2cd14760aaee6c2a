from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine import mixed_penalties, traces
from dltrain.engine.mixed_penalties import mix_penalties
from dltrain.engine.read_numbers import Penalty, kinds

MLP = ("model.units=[3]", "model.dropout=0.3", "trainer.epochs=2")
PENALTIES = ("none", "l1", "l2", "l1_l2")


def forget() -> None:
    traces._kept.clear()
    mixed_penalties._seen.clear()


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_kept", type(traces._kept)())
    monkeypatch.setattr(mixed_penalties, "_seen", {})


def trained(stage_of: Any, train_stage: Any, path: Path, *overrides: str) -> tuple[Any, Any, Any, float]:
    stage = stage_of(*MLP, *overrides)
    training = train_stage(stage, path)
    answers = training.engine.predict(stage.data.source("validation"))
    return training.history, answers, training.engine.graphs, float(sum(map(float, stage.network.losses)))


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "adamw"])
def test_penalties_of_other_jobs_change_no_number(
    stage_of: Any, train_stage: Any, tmp_path: Path, optimizer: str
) -> None:
    words = f"optimizer={optimizer}".split()
    alone = []
    for penalty in PENALTIES:
        forget()
        alone.append(trained(stage_of, train_stage, tmp_path, *words, f"regularizer={penalty}"))
    forget()
    after = [trained(stage_of, train_stage, tmp_path, *words, f"regularizer={penalty}") for penalty in PENALTIES]
    for one, other in zip(alone, after, strict=True):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])
        assert one[3] == other[3]
    graphs = [each[2] for each in after]
    assert graphs[0]._training is not graphs[1]._training
    assert graphs[1]._training is graphs[2]._training is graphs[3]._training
    assert graphs[1]._others is graphs[2]._others is graphs[3]._others
    assert len({id(each[2]._training) for each in alone}) == len(PENALTIES)


def test_a_network_without_penalties_joins_those_with(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    alone = trained(stage_of, train_stage, tmp_path, "optimizer=sgd")
    forget()
    for penalty in ("none", "l2"):
        trained(stage_of, train_stage, tmp_path, "optimizer=adam", f"regularizer={penalty}")
    joined = trained(stage_of, train_stage, tmp_path, "optimizer=sgd")
    fourth = trained(stage_of, train_stage, tmp_path, "optimizer=sgd", "regularizer=l2")
    assert joined[0] == alone[0] != fourth[0]
    assert joined[2]._training is fourth[2]._training


def test_what_is_saved_has_its_own_penalties(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    for penalty in ("none", "l1"):
        trained(stage_of, train_stage, tmp_path, f"regularizer={penalty}")
    stage = stage_of(*MLP, "regularizer=l2")
    train_stage(stage, tmp_path)
    weights = [weight for weight in stage.network.trainable_variables if isinstance(weight.regularizer, Penalty)]
    assert [weight.name for weight in weights] == ["kernel"]
    stage.network.save(tmp_path / "saved.keras")
    again = keras.saving.load_model(tmp_path / "saved.keras")
    assert float(sum(map(float, again.losses))) == float(sum(map(float, stage.network.losses))) > 0
    saved = [weight.regularizer for weight in again.trainable_variables]
    assert {type(each) for each in saved if each is not None} == {keras.regularizers.L2}


@pytest.mark.parametrize(("name", "value"), [("MOST_STEPS", 7), ("MOST_WEIGHTS", 3)])
def test_a_long_training_has_no_idle_penalties(
    stage_of: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    monkeypatch.setattr(mixed_penalties, name, value)
    one, other = (stage_of(*MLP, f"regularizer={penalty}").network for penalty in ("l1", "l2"))
    for network in (one, other):
        mix_penalties(network, 8)
    assert [names for names in kinds(one) if names] == [["l1"]]
    assert [names for names in kinds(other) if names] == [["l2"]]


def test_weights_of_an_embedding_get_none() -> None:
    def network(penalty: Any) -> keras.Model:
        inputs = keras.Input((2,), dtype="int32")
        rows = keras.layers.Embedding(4, 3, embeddings_regularizer=penalty)(inputs)
        made = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(rows)))
        made.compile("adam", "mse")
        return made

    for penalty in ("l2", None, "l1", None):
        made = network(penalty)
        mix_penalties(made, 1)
        assert not any(isinstance(weight.regularizer, Penalty) for weight in made.trainable_variables)


def test_a_penalty_of_factor_zero_is_zero_for_infinite_sums_too() -> None:
    weight = keras.Variable(np.full((2, 3), 1e30, np.float32))
    assert float(Penalty(0.0, 0.0)(weight)) == 0
    assert float(Penalty(0.5, 0.0)(weight)) == pytest.approx(3e30)
    assert float(Penalty(0.0, 0.5)(weight)) == np.inf
