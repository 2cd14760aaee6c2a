"""Checks a normalization against the layers that use it."""

from __future__ import annotations

from collections.abc import Iterator

from omegaconf import DictConfig, ListConfig


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each fault of `normalization` with this model and these batches."""
    node = config.normalization
    if node is None:
        return
    target = str(node.get("_target_"))
    groups = node.get("groups")
    if str(config.model.get("_target_")).endswith(".cnn") and target.endswith("GroupNormalization"):
        filters = config.model.filters
        widths = [*([32] if isinstance(filters, str) else filters), *config.model.units]
        yield from (
            f"normalization.groups: {groups} does not divide the {width} channels of a layer in model.filters or "
            "model.units."
            for width in dict.fromkeys(widths)
            if isinstance(groups, int) and groups > 0 and width % groups
        )
    units = config.model.get("units")  # which may be something else in a person's own model
    units = [width for width in units if isinstance(width, int)] if isinstance(units, ListConfig) else []
    if not units:
        return
    if not str(config.model.get("_target_")).endswith(".mlp"):
        return
    if target.endswith("BatchNormalization") and config.trainer.batch_size == 1:
        yield (
            "trainer.batch_size: batch normalization of a single row gives zeros; "
            "expected at least 2, or normalization=layer."
        )
    if target.endswith("GroupNormalization"):
        if groups == -1:
            yield (
                "normalization=instance needs images and model=cnn: otherwise each value would become 0. "
                "Use normalization=layer."
            )
        elif isinstance(groups, int):
            yield from (
                f"normalization.groups: {groups} does not divide the {width} units of a layer in model.units."
                for width in dict.fromkeys(units)
                if width % groups
            )
