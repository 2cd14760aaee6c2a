"""From the config's dataset to rows, targets and parts, each step logged."""

from __future__ import annotations

from typing import cast

import numpy as np
from omegaconf import DictConfig, OmegaConf

from dltrain.build import build
from dltrain.compose import conf_directory
from dltrain.data import split as splitting
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.errors import ConfigError, DataError
from dltrain.journal import Journal
from dltrain.schema import Config, Task
from dltrain.targets import CLASS_TASKS, Target, encode, infer, without_missing

LEAST_ROWS = 10


def load_dataset(config: Config, journal: Journal) -> Dataset:
    """The dataset of the config, without rows whose target is missing, at most `config.rows` of them.

    Raises:
        DataError: it cannot be read, or fewer than ten rows are left.
    """
    dataset: Dataset = build(config.dataset, key="dataset")
    if not isinstance(dataset, Dataset):
        raise ConfigError(f"dataset: {config.dataset['_target_']} gave {type(dataset).__name__}, expected a dltrain Dataset.")
    journal.note(dataset.source)
    for note in dataset.notes:
        journal.note(f"  {note}")
    dataset, dropped = without_missing(dataset)
    if dropped:
        journal.note(f"  {dropped} rows dropped: their target is missing")
    if len(dataset) < LEAST_ROWS:
        raise DataError(f"Dataset {dataset.name} has {len(dataset)} rows with a target, expected at least {LEAST_ROWS}.")
    return dataset


def load_target(config: Config, dataset: Dataset, journal: Journal) -> tuple[Dataset, Task, Target]:
    """The row of the head table that fits, the target encoded for it, and the rows that `config.rows` leaves.

    Raises:
        ConfigError: the chosen task cannot fit the target.
        DataError: the target is of no use.
    """
    task = config.task
    if task.name == "auto":
        name, reason = (dataset.task, "the dataset says so") if dataset.task else infer(dataset)
        journal.note(f"task {name}: {reason}")
        row = OmegaConf.load(conf_directory() / "task" / f"{name}.yaml")
        chosen = {key: value for key, value in task.items() if key != "name" and value is not None}
        task = cast(Task, OmegaConf.merge(row, chosen))
    target = encode(dataset, task.name)
    if config.rows is not None and config.rows < len(dataset):
        kept = splitting.subset(_split_source(dataset, target), config.rows, config.seed)
        journal.note(f"{len(kept)} of {len(dataset)} rows are used (rows={config.rows})")
        dataset = dataset.take(kept)
        target = encode(dataset, task.name)
    return dataset, task, target


def split_rows(config: Config, dataset: Dataset, target: Target, journal: Journal) -> Split:
    """The parts of the dataset.

    Raises:
        ConfigError: the split does not fit the dataset.
        DataError: a part would be empty, or the train part lacks a class.
    """
    split: Split = build(config.split, _split_source(dataset, target), key="split", seed=config.seed)
    if target.task in CLASS_TASKS:
        present = np.unique(target.values[split.train])
        if len(present) < len(target.classes):
            lacking = [name for number, name in enumerate(target.classes) if number not in present]
            raise DataError(f"No train row has the class {', '.join(lacking)}; expected at least one of each. Get more rows of it.")
    journal.split(dataset, split)
    return split


def _split_source(dataset: Dataset, target: Target) -> splitting.Source:
    return splitting.Source(target.strata, dataset.test_rows, len(dataset))
