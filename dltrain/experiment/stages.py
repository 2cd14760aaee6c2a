"""Loads the dataset, chooses the task and splits the rows, and notes each step."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError, DataError
from dltrain.base.notes import Notes, counted
from dltrain.config import head_rules
from dltrain.config.build import build
from dltrain.config.split_rules import column_of_groups, is_in_time
from dltrain.data import checks
from dltrain.data import split as splitting
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.split_columns import group_numbers, times
from dltrain.data.targets import Target, encode, infer, without_missing
from dltrain.data.task_row import task_row

LEAST_ROWS = 10
GROUPS_FOR_KINDS = {
    "imputation": ("numeric", "date"),
    "scaling": ("numeric", "date", "image"),
    "encoding": ("category",),
    "text": ("text",),
    "augmentation": ("image",),
    "dataset.day_first": ("date",),
    "dataset.size": ("image",),
    "dataset.channels": ("image",),
    "dataset.corrupt": ("image",),
    "callbacks.tensorboard.mistakes": ("image",),
}


def load_dataset(node: DictConfig, notes: Notes) -> Dataset:
    """Loads the dataset of the group `dataset` and drops the rows whose target is missing.

    Raises:
        ConfigError: If the loader returns something else than a dataset.
        DataError: If the dataset cannot be read, or fewer than ten rows are left.
    """
    dataset: Dataset = build(node, key="dataset")
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"dataset: {node['_target_']} gave {type(dataset).__name__}, expected a dltrain Dataset.")
    notes.note(dataset.source)
    for note in dataset.notes:
        notes.note(f"  {note}")
    dataset, dropped = without_missing(dataset)
    if dropped:
        notes.note(f"  {counted(dropped, 'row')} dropped: the target is missing")
    if len(dataset) < LEAST_ROWS:
        raise DataError(
            f"Dataset {dataset.name} has {len(dataset)} rows with a target, expected at least {LEAST_ROWS}."
        )
    return dataset


def choose_task(task: DictConfig, dataset: Dataset, notes: Notes) -> tuple[DictConfig, Target]:
    """Returns the row of the head table that fits, and the target encoded for it."""
    if task.name == "auto":
        name, reason = (dataset.task, "the dataset says so") if dataset.task else infer(dataset)
        notes.note(f"task {name}: {reason}")
        task = task_row(task, name)
    if faults := list(head_rules.faults(task)):
        raise ConfigError(faults)
    quantiles = (0.5, *task.quantiles) if task.get("quantiles") else ()
    return task, encode(dataset, task.name, quantiles)


def refuse_ignored(typed: Sequence[str], dataset: Dataset, target: Target) -> None:
    """Refuses typed keys and groups that would have no effect on these columns and this target."""
    present = set(dataset.kinds.values())
    faults = [
        f"{word} has no effect: dataset {dataset.name} has no column of kind {' or '.join(kinds)}. Leave it out."
        for word in typed
        if (kinds := GROUPS_FOR_KINDS.get(word, GROUPS_FOR_KINDS.get(word.split(".")[0]))) and not present & set(kinds)
    ]
    if "split.stratify" in typed and target.kind.labels:
        faults.append(f"split.stratify has no effect: task={target.task} has labels and no classes. Leave it out.")
    if faults:
        raise ConfigError(faults)


def draw_rows(rows: int | None, dataset: Dataset, target: Target, seed: int, notes: Notes) -> tuple[Dataset, Target]:
    """Draws at most `rows` rows of the dataset at random, stratified by class; None keeps all."""
    if rows is None or rows >= len(dataset):
        return dataset, target
    kept = splitting.subset(split_constraints(dataset, target), rows, seed)
    notes.note(f"{len(kept)} of {len(dataset)} rows are used (rows={rows})")
    dataset = dataset.take(kept)
    # The target is encoded again, since a class may have lost its last row.
    return dataset, encode(dataset, target.task, target.quantiles)


def split_rows(node: DictConfig, constraints: splitting.SplitConstraints, target: Target, seed: int) -> Split:
    """Splits all rows of a dataset into parts."""
    split: Split = build(node, constraints, key="split", seed=seed)
    refuse_lacking_classes(split, target)
    return split


def check_rows(
    mode: str,
    dataset: Dataset,
    target: Target,
    split: Split,
    *,
    weighted: bool,
    in_time: bool = False,
    seed: int,
    notes: Notes,
) -> None:
    """Looks for leaks and faults in the data; `mode` is warn, strict (a warning raises a DataError) or none.

    `weighted` tells whether classes are weighted, `in_time` whether the rows were split by time, and `seed` draws the
    sample that is looked at.
    """
    if mode == "none":
        return
    found = checks.check_data(dataset, target, split, weighted=weighted, seed=seed, in_time=in_time)
    if mode == "strict":
        checks.refuse(found)
    notes.check(found)


def refuse_lacking_classes(split: Split, target: Target, where: str = "") -> None:
    """Refuses a split whose train part lacks a class; `where` begins the error."""
    if not target.kind.one_class:
        return
    present = np.unique(target.values[split.train])
    if len(present) < len(target.classes):
        lacking = [name for number, name in enumerate(target.classes) if number not in present]
        raise DataError(
            f"{where}No train row has the class {', '.join(lacking)}; expected at least one of each. "
            "Get more rows of it."
        )


def split_constraints(
    dataset: Dataset, target: Target, split: DictConfig | None = None, cv: DictConfig | None = None
) -> splitting.SplitConstraints:
    """Returns what a split may use of a dataset: with its node, and that of a cross-validation, groups and times too.

    Raises:
        ConfigError: If a column that they name is no column of the dataset, or has too few groups for the folds.
        DataError: If a row has no group or no time.
    """
    found = splitting.SplitConstraints(
        target.strata, dataset.test_rows, len(dataset), values=target.values if target.kind.quantity else None
    )
    key, column = column_of_groups(split, cv)
    if column is not None:
        groups = group_numbers(dataset, column, key)
        found = dataclasses.replace(found, groups=groups)
        if cv is not None and (count := len(np.unique(groups))) <= cv.folds:
            raise ConfigError(
                f"cv.folds: {cv.folds} folds and a test part need more than {cv.folds} groups, and column '{column}' "
                f"has {count}. Choose fewer folds or another {key}."
            )
    if split is not None and is_in_time(split):
        columns = split.column if isinstance(split.column, str) else list(split.column)
        found = dataclasses.replace(found, times=times(dataset, columns, "split.column"))
    return found
