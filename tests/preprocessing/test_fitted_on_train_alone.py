"""Whatever stands in the validation and test rows changes nothing that is learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

ROWS = 60


def columns(generator: np.random.Generator) -> dict[str, Any]:
    numbers = generator.standard_normal(ROWS)
    numbers[::9] = np.nan
    return {
        "number": numbers,
        "whole": generator.integers(0, 5, ROWS).astype(float),
        "letter": np.array(list("abc") * 20, dtype=object),
        "words": np.array([f"word{number} same" for number in generator.integers(0, 9, ROWS)], dtype=object),
    }


def wild(cells: Any, rows: Any, place: int) -> Any:
    """The cells with others in these rows: values, categories and words that the train rows do not have."""
    changed = cells.copy()
    if cells.dtype == object:
        changed[rows] = [f"new{place} thing{row}" for row in rows]
    else:
        changed[rows] = 1e6 * (rows + 1)
        changed[rows[::3]] = np.nan
    return changed


def learned(stage: Any) -> tuple[Any, ...]:
    model = stage.data.preprocessing.model
    state = [*model.get_weights(), *stage.network.get_weights()]
    target = stage.data.target
    return model.to_json(), [np.asarray(weight).tobytes() for weight in state], (target.offset, target.scale)


PREPROCESSINGS = (
    ("imputation=mean", "scaling=minmax", "encoding=embedding"),
    ("imputation=most_frequent", "scaling=quantile", "encoding.minimum_count=2"),
    ("scaling=minmax_symmetric", "imputation.indicators=false"),
    ("scaling=robust",),
)


@pytest.mark.parametrize(
    "overrides",
    [
        ("imputation=median", "scaling=standard", "model.units=[2]"),
        ("model=text_bag", "text.sequence_length=3"),
        *((*words, "model=linear") for words in PREPROCESSINGS),
        *(pytest.param((*words, "model.units=[2]"), marks=pytest.mark.slow) for words in PREPROCESSINGS),
    ],
    ids=" ".join,
)
def test_other_rows_change_no_statistic_and_no_weight(
    stage_of: Any, train_stage: Any, make_dataset: Any, tmp_path: Any, overrides: tuple[str, ...]
) -> None:
    generator = np.random.default_rng(0)
    cells = columns(generator)
    if "model=text_bag" in overrides:
        kinds, words = {"words": "text"}, ("callbacks=learning_rate",)
    else:
        del cells["words"]
        kinds, words = {}, ("callbacks=learning_rate",)
    target = generator.standard_normal(ROWS)
    dataset = make_dataset(cells, target=target, kinds=kinds, task="regression")
    # Quantiles of all targets decide which rows train, and these are to be the same.
    overrides = (*overrides, *words, "trainer.batch_size=16", "split.quantiles=0")

    stage = stage_of(*overrides, dataset=dataset)
    train_stage(stage, tmp_path)
    first, split = learned(stage), stage.data.split
    rest = np.concatenate([split.validation, split.test])
    changed = {name: wild(values, rest, place) for place, (name, values) in enumerate(cells.items())}
    strange = np.where(np.isin(np.arange(ROWS), rest), 1e4, target)
    other = make_dataset(changed, target=strange, kinds=kinds, task="regression")
    stage = stage_of(*overrides, dataset=other)
    train_stage(stage, tmp_path)
    assert learned(stage) == first

    # The same change in the train rows is noticed.
    changed = {name: wild(values, split.train[:20], place) for place, (name, values) in enumerate(cells.items())}
    noticed = make_dataset(changed, target=target, kinds=kinds, task="regression")
    assert learned(stage_of(*overrides, dataset=noticed))[0] != first[0]
