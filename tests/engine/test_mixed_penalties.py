from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.engine import mixed_penalties
from dltrain.engine.mixed_penalties import mix_penalties
from dltrain.engine.read_numbers import Penalty, kinds

# What was seen of an architecture is known as long as the process lives, so that each test has one of its own.
MLP = ("model.dropout=0.3", "trainer.epochs=2")
PENALTIES = ("none", "l1", "l2", "l1_l2")


def trained(stage_of: Any, train_stage: Any, path: Path, *overrides: str) -> tuple[Any, Any, float]:
    stage = stage_of(*MLP, *overrides)
    training = train_stage(stage, path)
    answers = training.engine.predict(stage.data.source("validation"))
    return training.history, answers, float(sum(map(float, stage.network.losses)))


@pytest.mark.parametrize(
    ("optimizer", "units"),
    [
        ("adam", 11),
        pytest.param("sgd", 12, marks=pytest.mark.slow),
        pytest.param("rmsprop", 13, marks=pytest.mark.slow),
        pytest.param("adamw", 14, marks=pytest.mark.slow),
    ],
)
def test_penalties_of_other_jobs_change_no_number(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forget_graphs: Callable[[], None],
    graph_log: Any,
    optimizer: str,
    units: int,
) -> None:
    def train_with_each() -> list[Any]:
        results = []
        for penalty in PENALTIES:
            words = (f"optimizer={optimizer}", f"model.units=[{units}]", f"regularizer={penalty}")
            results.append(trained(stage_of, train_stage, tmp_path, *words))
        return results

    forget_graphs()
    with monkeypatch.context() as patch:
        patch.setattr(mixed_penalties, "MOST_STEPS", 0)
        alone = train_with_each()
    graphs = graph_log.traced + graph_log.read
    assert sorted(graphs) == sorted(["train", "test_alone", "predict"] * len(PENALTIES))
    graph_log.traced.clear()
    graph_log.read.clear()
    forget_graphs()
    for one, other in zip(alone, train_with_each(), strict=True):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])
        assert one[2] == other[2]
    # The second sees other penalties than the first, and gets what the third and fourth need.
    assert sorted(graph_log.traced + graph_log.read) == sorted(["train", "test_alone", "predict"] * 2)


def test_a_network_without_penalties_joins_those_with(
    stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph_log: Any
) -> None:
    words = ("model.units=[15]", "optimizer=sgd")
    with monkeypatch.context() as patch:
        patch.setattr(mixed_penalties, "MOST_STEPS", 0)
        alone = trained(stage_of, train_stage, tmp_path, *words)
    for penalty in ("none", "l2"):
        trained(stage_of, train_stage, tmp_path, "model.units=[15]", "optimizer=adam", f"regularizer={penalty}")
    joined = trained(stage_of, train_stage, tmp_path, *words)
    graph_log.traced.clear()
    fourth = trained(stage_of, train_stage, tmp_path, *words, "regularizer=l2")
    assert joined[0] == alone[0] != fourth[0]
    assert graph_log.traced == []


def test_what_is_saved_has_its_own_penalties(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    for penalty in ("none", "l1"):
        trained(stage_of, train_stage, tmp_path, "model.units=[16]", f"regularizer={penalty}")
    stage = stage_of(*MLP, "model.units=[16]", "regularizer=l2")
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
    one, other = (stage_of(*MLP, "model.units=[17]", f"regularizer={penalty}").network for penalty in ("l1", "l2"))
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
