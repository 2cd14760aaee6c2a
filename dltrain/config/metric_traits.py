"""Tells of a metric which way is better, when it has no value, and how its interval is found.

A person's own class says so by attributes with the names below, such as `direction = "max"`; a table here has the
metrics of Keras. Both are read without heavy imports, since the command line needs them too.
"""

from __future__ import annotations

import ast
import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from dltrain.config.annotations import COMPUTED, literal
from dltrain.config.sources import Definition, locate, resolve


@dataclass(frozen=True)
class MetricTraits:
    """The traits of a metric; the defaults claim nothing."""

    direction: Literal["min", "max"] | None = None  # `min` or `max`; None if neither is better
    best: float | None = None  # the value of perfect predictions; None if there is no bound
    # Whether it is the share of rows that are right, whose interval is Wilson's; others are resampled
    share_of_rows: bool = False
    whole_sums: bool = False  # whether its sums are whole numbers, so that the order of additions does not matter
    needs_both: bool = False  # whether it is undefined if all rows are ones or all are zeros
    of_classes: bool = False  # whether it means nothing for a quantity
    splits_range: bool = False  # whether its `threshold` is the middle of the target's range

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest value that it is known to have, infinite where none is known."""
        if self.direction == "min":
            return (-math.inf if self.best is None else self.best), math.inf
        is_share = self.share_of_rows or self.needs_both
        return (0.0 if is_share else -math.inf), (math.inf if self.best is None else self.best)


# The traits that a derived class inherits; the others hold for the class itself alone.
INHERITED = ("direction", "best", "needs_both", "of_classes")
FIELDS = [field.name for field in dataclasses.fields(MetricTraits)]
ERROR, SHARE = MetricTraits("min", 0.0), MetricTraits("max", 1.0)
OF_CLASSES = MetricTraits("max", 1.0, of_classes=True)
COUNT = MetricTraits(of_classes=True)  # more cases may be better or worse
KERAS = {
    **dict.fromkeys(("Accuracy", "BinaryIoU", "F1Score", "FBetaScore"), OF_CLASSES),
    **dict.fromkeys(("CategoricalAccuracy", "TopKCategoricalAccuracy", "SparseTopKCategoricalAccuracy"), OF_CLASSES),
    **dict.fromkeys(("IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"), OF_CLASSES),
    **dict.fromkeys(
        ("BinaryAccuracy", "SparseCategoricalAccuracy"),
        MetricTraits("max", 1.0, share_of_rows=True, whole_sums=True, of_classes=True),
    ),
    **dict.fromkeys(("Precision", "Recall"), MetricTraits("max", 1.0, whole_sums=True, of_classes=True)),
    "AUC": MetricTraits("max", 1.0, whole_sums=True, needs_both=True, of_classes=True),
    **dict.fromkeys(
        ("SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"),
        MetricTraits("max", 1.0, needs_both=True, of_classes=True),
    ),
    **dict.fromkeys(("R2Score", "CosineSimilarity", "PearsonCorrelation", "ConcordanceCorrelation"), SHARE),
    **dict.fromkeys(("RootMeanSquaredError", "MeanSquaredError", "MeanAbsoluteError"), ERROR),
    **dict.fromkeys(("MeanSquaredLogarithmicError", "MeanAbsolutePercentageError", "LogCoshError"), ERROR),
    **dict.fromkeys(("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"), ERROR),
    **dict.fromkeys(("Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence"), ERROR),
    "Poisson": MetricTraits("min"),
    **dict.fromkeys(("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"), COUNT),
    **dict.fromkeys(("Mean", "Sum"), MetricTraits()),
}
# Parts of names that people give; the first match counts.
WORDS = {
    "likelihood": MetricTraits("max"),
    **dict.fromkeys(("accuracy", "auc", "precision", "recall", "f1", "r2", "iou", "similarity"), SHARE),
    **dict.fromkeys(("error", "rmse", "mae", "mse", "loss", "entropy", "deviance"), ERROR),
    **dict.fromkeys(("parameters", "seconds", "epochs"), MetricTraits("min")),
}


def traits_of(metric: type) -> MetricTraits:
    """Returns the traits of a class: its own, and those inherited from a metric of Keras."""
    keras = [each for each in metric.__mro__ if each.__module__.startswith("keras.") and each.__name__ in KERAS]
    own = {name: getattr(metric, name) for name in FIELDS if hasattr(metric, name)}
    return _joined(KERAS[keras[0].__name__] if keras else MetricTraits(), own, exact=keras[:1] == [metric])


def traits_behind(target: str) -> MetricTraits | None:
    """Returns the traits of the class of a `_target_`, read from its source; None if there is no such class."""
    module, _, name = target.rpartition(".")
    if module == "keras.metrics" and name in KERAS:
        return KERAS[name]
    found = locate(target)
    definitions = [each for each in found if isinstance(each, Definition)] if isinstance(found, list) else []
    return _behind(definitions[0], ()) if definitions else None


def traits_by_name(name: str) -> MetricTraits:
    """Returns the traits that the name of a value in the logs suggests, such as val_rmse."""
    name = name.removeprefix("val_")
    if name == "loss":
        return ERROR
    return next((traits for word, traits in WORDS.items() if word in name), MetricTraits())


def traits(name: str, target: Any = None) -> MetricTraits:
    """Returns the traits of a metric by its `_target_`, or by its name in the logs if the target tells nothing."""
    behind = traits_behind(str(target)) if target else None
    return behind if behind is not None and behind != MetricTraits() else traits_by_name(name)


def _behind(definition: Definition, seen: tuple[Definition, ...]) -> MetricTraits | None:
    module, node = definition.module, definition.node
    if not isinstance(node, ast.ClassDef) or definition in seen:
        return None
    if module.name.startswith("keras.") and node.name in KERAS:
        return KERAS[node.name]
    bases = [each for base in node.bases for each in resolve(module, base) if isinstance(each, Definition)]
    inherited = [found for base in bases if (found := _behind(base, (*seen, definition))) is not None]
    own = {
        place.id: literal(child.value)
        for child in node.body
        if isinstance(child, (ast.Assign, ast.AnnAssign)) and child.value is not None
        for place in (child.targets if isinstance(child, ast.Assign) else [child.target])
        if isinstance(place, ast.Name) and place.id in FIELDS and literal(child.value) is not COMPUTED
    }
    return _joined(inherited[0] if inherited else MetricTraits(), own, exact=False)


def _joined(base: MetricTraits, own: dict[str, Any], *, exact: bool) -> MetricTraits:
    inherited = base if exact else MetricTraits(**{name: getattr(base, name) for name in INHERITED})
    return dataclasses.replace(inherited, **own)
