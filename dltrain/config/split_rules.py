"""Finds splits, cross-validations and features that do not fit together, and tells by which columns rows are split."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, OmegaConf


def is_in_time(split: DictConfig) -> bool:
    """Tells whether a split puts the rows in the order of time."""
    return _is_own(split, "time")


def is_by_group(split: DictConfig) -> bool:
    """Tells whether a split keeps the rows of a group together."""
    return _is_own(split, "group")


def column_of_groups(split: DictConfig | None, cv: DictConfig | None) -> tuple[str, str | None]:
    """Returns the key that names the groups of the rows and the column that it names, or None without groups."""
    if cv is not None and cv.get("group") is not None:
        return "cv.group", str(cv.group)
    by_group = split is not None and is_by_group(split)
    return "split.column", str(split.column) if split is not None and by_group else None


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each combination of split, cross-validation and kinds that cannot work."""
    split, cv = config.split, config.cv
    if cv is not None and cv.name == "time" and not is_in_time(split):
        yield (
            "cv=time needs a test part that comes after all folds: expected split=time, which names the column. "
            "Add split=time split.column=COLUMN."
        )
    if cv is not None and cv.name != "time" and is_in_time(split):
        yield f"cv={cv.name} would draw its folds at random, and split=time goes by time. Use cv=time."
    if cv is not None and is_by_group(split):
        column = None if OmegaConf.is_missing(split, "column") else split.column
        if cv.name != "group_kfold":
            yield (
                f"cv={cv.name} would divide the groups of split.column among its folds. Use cv=group_kfold "
                f"cv.group={column or 'COLUMN'}."
            )
        elif column is not None and not OmegaConf.is_missing(cv, "group") and cv.group != column:
            yield f"cv.group={cv.group}: expected the column of split=group, split.column={column}."
    key, column = _column(split, cv)
    kinds = OmegaConf.select(config, "dataset.kinds", throw_on_missing=False) or {}
    node = cv if key == "cv.group" else split
    if column in kinds and kinds[column] != "ignore" and node is not None and node.get("group_is_feature") is False:
        yield (
            f"dataset.kinds.{column}={kinds[column]} has no effect: {key}={column} names groups, which are no feature. "
            f"Leave it out, or add {key.partition('.')[0]}.group_is_feature=true."
        )


def _column(split: DictConfig, cv: DictConfig | None) -> tuple[str, str | None]:
    """Returns `column_of_groups`, without a column where the key has no value yet."""
    missing = OmegaConf.is_missing(split, "column") or (cv is not None and OmegaConf.is_missing(cv, "group"))
    return ("", None) if missing else column_of_groups(split, cv)


def _is_own(split: DictConfig, name: str) -> bool:
    target = str(split.get("_target_"))
    return target.startswith("dltrain.") and target.endswith(f".split.{name}")
