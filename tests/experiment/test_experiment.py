from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.base.notes import SilentNotes
from dltrain.experiment.experiment import assemble, draw, pose


@pytest.fixture
def dataset(make_dataset: Any) -> Any:
    random = np.random.default_rng(0)
    return make_dataset({"a": random.normal(size=80), "b": random.normal(size=80)}, random.integers(0, 2, 80) * 1.0)


def test_a_target_of_two_values_poses_a_binary_problem(dataset: Any, compose_config: Any) -> None:
    problem = pose(compose_config(), dataset, SilentNotes(), [])
    assert (problem.task.name, problem.target.task) == ("binary", "binary")
    assert len(problem.target.classes) == 2


def test_a_typed_key_that_these_columns_ignore_is_refused(dataset: Any, compose_config: Any) -> None:
    with pytest.raises(ConfigError, match="text"):
        pose(compose_config(), dataset, SilentNotes(), ["text"])


def test_the_rows_that_are_drawn_follow_from_the_seed(dataset: Any, compose_config: Any) -> None:
    def drawn(seed: int) -> list[int]:
        config = compose_config("rows=20", f"seed={seed}")
        problem = draw(config, pose(config, dataset, SilentNotes(), []), SilentNotes())
        assert len(problem.target.values) == 20
        np.testing.assert_array_equal(problem.target.values, dataset.target["target"][problem.dataset.row_ids])
        return [int(row) for row in problem.dataset.row_ids]

    assert drawn(1) == drawn(1) != drawn(2)


def test_an_experiment_is_compiled_for_the_parts_of_its_split(
    dataset: Any, compose_config: Any, make_journal: Any
) -> None:
    config = compose_config("model.units=[2]", "trainer.batch_size=1000")
    made = assemble(config, pose(config, dataset, SilentNotes(), []), make_journal())
    split = made.data.split
    parts = [*split.train, *split.validation, *split.test]
    assert sorted(parts) == list(range(80))
    assert made.network.compiled
    assert made.network.output.shape == (None, 1)
