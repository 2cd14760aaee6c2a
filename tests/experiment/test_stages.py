"""From the config's dataset to rows, target and parts; each refusal says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.notes import SilentNotes
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.targets import encode
from dltrain.experiment.stages import (
    check_rows,
    choose_task,
    draw_rows,
    load_dataset,
    refuse_ignored,
    refuse_lacking_classes,
)


def given(rows: int) -> Dataset:
    """Stands in for a dataset's function."""
    target = np.array([np.nan, *np.arange(rows - 1.0)])
    return Dataset(
        name="given",
        columns={"a": np.arange(float(rows))},
        kinds={"a": "numeric"},
        target={"y": target},
        row_ids=np.arange(rows),
        source="made up",
        notes=("a note of its own",),
    )


def nothing() -> str:
    return "no dataset"


def load(function: str, make_journal: Any, **settings: Any) -> tuple[Dataset, list[str]]:
    notes = make_journal()
    return load_dataset(OmegaConf.create({"_target_": f"{__name__}.{function}", **settings}), notes), notes.notes


def test_rows_without_a_target_are_dropped_and_told(make_journal: Any) -> None:
    dataset, notes = load("given", make_journal, rows=12)
    assert len(dataset) == 11
    assert notes == ["made up", "a note of its own", "1 row dropped: the target is missing"]


def test_too_few_rows_and_what_is_no_dataset_are_refused(make_journal: Any) -> None:
    with pytest.raises(DataError, match="Dataset given has 9 rows with a target, expected at least 10"):
        load("given", make_journal, rows=10)
    with pytest.raises(ConfigError, match=r"dataset: .*\.nothing gave str, expected a dltrain Dataset"):
        load("nothing", make_journal)


def test_task_is_the_datasets_own_or_inferred_and_its_reason_told(
    compose_config: Any, make_dataset: Any, make_journal: Any
) -> None:
    auto, notes = compose_config("task=auto").task, make_journal()
    columns = {"a": np.arange(6.0)}
    task, target = choose_task(auto, make_dataset(columns, np.array(list("aabbcc"), object)), notes)
    assert (task.name, target.classes) == ("multiclass", ("a", "b", "c"))
    task, _ = choose_task(auto, make_dataset(columns, np.arange(6.0) % 2, task="regression"), notes)
    assert task.name == "regression"
    assert [note.partition(":")[0] for note in notes.notes] == ["task multiclass", "task regression"]
    assert notes.notes[1].endswith("the dataset says so")


def test_what_would_have_no_effect_is_refused_all_at_once(make_dataset: Any) -> None:
    dataset = make_dataset({"a": np.arange(6.0)}, np.arange(6.0))
    target = encode(dataset, "regression")
    with pytest.raises(ConfigError) as caught:
        refuse_ignored(["scaling", "encoding.minimum_count", "text", "seed"], dataset, target)
    assert [fault.partition(" ")[0] for fault in caught.value.faults] == [
        "encoding.minimum_count",
        "text",
    ]
    refuse_ignored(["scaling", "imputation.strategy", "split.stratify"], dataset, target)


def test_rows_are_drawn_with_every_class_in_its_share(make_dataset: Any, make_journal: Any) -> None:
    dataset, notes = make_dataset({"a": np.arange(40.0)}, np.array(list("aaab") * 10, object)), make_journal()
    target = encode(dataset, "binary")
    assert draw_rows(None, dataset, target, 0, notes)[0] is draw_rows(40, dataset, target, 0, notes)[0] is dataset
    assert notes.notes == []
    drawn, kept = draw_rows(20, dataset, target, 0, notes)
    assert len(drawn) == 20
    assert kept.values.sum() == 5
    assert notes.notes == ["20 of 40 rows are used (rows=20)"]


def test_train_part_without_a_class_is_refused(make_dataset: Any) -> None:
    target = encode(make_dataset({"a": np.arange(6.0)}, np.array(list("aabbcc"), object)), "multiclass")
    split = Split(np.array([0, 1, 2]), np.array([3]), np.array([4, 5]))
    with pytest.raises(DataError, match=r"Fold 1: No train row has the class c; expected at least one of each"):
        refuse_lacking_classes(split, target, "Fold 1: ")
    quantity = encode(make_dataset({"a": np.arange(6.0)}, np.arange(6.0)), "regression")
    refuse_lacking_classes(split, quantity)


def test_checks_warn_refuse_or_keep_still(make_dataset: Any) -> None:
    dataset = make_dataset({"same": np.ones(60), "a": np.linspace(0, 1, 60)})
    target = encode(dataset, "binary")
    split = Split(np.arange(40), np.arange(40, 50), np.arange(50, 60))
    found = {}
    for mode in ("none", "warn"):
        notes = SilentNotes()
        check_rows(mode, dataset, target, split, weighted=False, seed=0, notes=notes)
        found[mode] = [finding.check for finding in notes.findings]
    assert found["none"] == []
    assert "constant column" in found["warn"]
    with pytest.raises(DataError, match="same"):
        check_rows("strict", dataset, target, split, weighted=False, seed=0, notes=SilentNotes())
