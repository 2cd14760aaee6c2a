from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.engine import shared_graphs
from dltrain.engine.architecture import architecture
from dltrain.engine.shared_graphs import graphs_of

MLP = ("model.units=[3]", "model.dropout=0.3", "trainer.epochs=2", "callbacks=learning_rate")


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch, forget_graphs: Callable[[], None]) -> None:
    forget_graphs()
    monkeypatch.setattr(shared_graphs, "read_graph", lambda *_: None)


def trained(stage_of: Any, train_stage: Any, path: Path, *overrides: str) -> tuple[Any, Any]:
    stage = stage_of(*MLP, *overrides)
    training = train_stage(stage, path)
    return training.history, training.engine.predict(stage.data.source("validation"))


def test_second_model_runs_the_graphs_of_the_first_with_the_numbers_of_a_fresh_one(
    stage_of: Any, train_stage: Any, tmp_path: Path, forget_graphs: Callable[[], None], graph_log: Any
) -> None:
    fresh = trained(stage_of, train_stage, tmp_path, "seed=2", "optimizer.learning_rate=0.01")
    forget_graphs()
    graph_log.traced.clear()
    first = trained(stage_of, train_stage, tmp_path, "seed=1")
    second = trained(stage_of, train_stage, tmp_path, "seed=2", "optimizer.learning_rate=0.01")
    assert sorted(graph_log.traced) == ["predict", "test_alone", "train"]
    assert second[0] == fresh[0] != first[0]
    np.testing.assert_array_equal(second[1], fresh[1])


@pytest.mark.parametrize(
    "override",
    [
        "model.dropout=0",
        "optimizer.beta_1=0.8",
        "optimizer.clipnorm=1",
        "regularizer=l2",
        "task=binary task.loss.label_smoothing=0.1",
        "schedule=cosine",
        "model.activation=tanh",
        "dataset.numeric_columns=3",
    ],
)
def test_other_settings_make_other_graphs(stage_of: Any, override: str) -> None:
    one, other = stage_of(*MLP).network, stage_of(*MLP, *override.split()).network
    assert architecture(one) != architecture(other)
    assert graphs_of(one, 32, {}) is graphs_of(one, 32, {})
    assert graphs_of(one, 32, {}) is not graphs_of(other, 32, {})
    assert graphs_of(one, 32, {}) is not graphs_of(one, 8, {})
    assert graphs_of(one, 32, {}) is not graphs_of(one, 32, {}, compiled=True)


@pytest.mark.parametrize(
    ("same", "first", "second"),
    [
        ([], ["model.dropout=0.5"], ["model.dropout=0.1"]),
        pytest.param(
            *(["regularizer=l2"], ["regularizer.kernel.l2=0.5"], ["regularizer.kernel.l2=0.001"]),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(["regularizer=course"], ["regularizer.bias.l1=0.5"], ["regularizer.kernel.l2=0.7"]),
            marks=pytest.mark.slow,
        ),
        (["regularizer=l1_l2"], ["regularizer.kernel.l1=0.5"], ["regularizer.kernel.l1=0.001", "model.dropout=0.2"]),
        (["model.dropout=0.4", "regularization_schedule=flat_cosine"], ["model.dropout=0.5"], ["model.dropout=0.1"]),
    ],
)
def test_rates_and_factors_are_read_by_the_same_graphs(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    forget_graphs: Callable[[], None],
    graph_log: Any,
    same: list[str],
    first: list[str],
    second: list[str],
) -> None:
    fresh = trained(stage_of, train_stage, tmp_path, *same, *second)
    forget_graphs()
    graph_log.traced.clear()
    one = trained(stage_of, train_stage, tmp_path, *same, *first)
    other = trained(stage_of, train_stage, tmp_path, *same, *second)
    assert graph_log.traced.count("train") == 1
    assert other[0] == fresh[0] != one[0]
    np.testing.assert_array_equal(other[1], fresh[1])


def test_models_with_other_optimizers_share_what_does_not_train(
    stage_of: Any, train_stage: Any, tmp_path: Path, forget_graphs: Callable[[], None], graph_log: Any
) -> None:
    fresh = trained(stage_of, train_stage, tmp_path, "optimizer=sgd")
    forget_graphs()
    graph_log.traced.clear()
    first = trained(stage_of, train_stage, tmp_path, "optimizer=adam")
    second = trained(stage_of, train_stage, tmp_path, "optimizer=sgd")
    assert sorted(graph_log.traced) == ["predict", "test_alone", "train", "train"]
    assert second[0] == fresh[0] != first[0]
    np.testing.assert_array_equal(second[1], fresh[1])


def test_first_model_is_not_touched_by_the_second(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of(*MLP)
    engine = train_stage(stage, tmp_path).engine
    before = [np.array(variable) for variable in [*stage.network.variables, *stage.network.optimizer.variables]]
    trained(stage_of, train_stage, tmp_path, "seed=2")
    after = [*stage.network.variables, *stage.network.optimizer.variables]
    assert engine.graphs.built
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, np.array(new))


def test_first_weights_do_not_decide_a_graph(stage_of: Any) -> None:
    networks = [stage_of(*MLP, f"initializer={name}").network for name in ("he_normal", "zeros", "constant")]
    assert len({architecture(network) for network in networks}) == 1


def test_only_a_few_are_kept(stage_of: Any) -> None:
    network = stage_of(*MLP).network
    first, second = (graphs_of(network, batch_size, {}) for batch_size in (1, 2))
    for batch_size in range(3, shared_graphs.MOST_KEPT + 2):
        graphs_of(network, batch_size, {})
    assert graphs_of(network, 2, {}) is second
    assert graphs_of(network, 1, {}) is not first


def test_number_of_rows_does_not_trace_again(stage_of: Any, train_stage: Any, tmp_path: Path, graph_log: Any) -> None:
    numbers = ("dataset.missing=0.0", "dataset.category_columns=0")
    trained(stage_of, train_stage, tmp_path, *numbers)
    graph_log.traced.clear()
    stage = stage_of(*MLP, *numbers, "dataset.rows=90")
    engine = train_stage(stage, tmp_path).engine
    engine.evaluate(stage.data.source("train"))
    assert graph_log.traced == []
