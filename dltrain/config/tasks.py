"""Defines the tasks: what each row of the head table requires of the target, the last layer and the scoring.

It holds names and numbers alone. Other modules ask for these traits and compare no task by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Task:
    """The fixed part of a row of the head table; its YAML file holds the rest."""

    name: str
    # What a row is predicted to have: one of the classes, any number of labels, or a quantity
    answer: Literal["class", "label", "quantity"]
    purpose: str  # the purpose of the training in words, with gaps for `names`, `count` and `target`
    loss: str  # the class of the loss that is minus the log-likelihood of such a target
    units: int | None = None  # the units of the last layer; None means one for each class or label
    # The activations of the last layer within the range of the target; empty if it has no bounds
    activations: tuple[str, ...] = ()
    deviation: bool = False  # whether a mean and its standard deviation are predicted
    quantiles: bool = False  # whether quantiles are predicted, the median first

    @property
    def one_class(self) -> bool:
        """Whether each row has one class, so that splits are stratified."""
        return self.answer == "class"

    @property
    def two_classes(self) -> bool:
        """Whether the single unit is the probability of the second of two classes."""
        return self.one_class and self.units == 1

    @property
    def several_classes(self) -> bool:
        """Whether the target is a class number and every class has a unit."""
        return self.one_class and self.units is None

    @property
    def labels(self) -> bool:
        """Whether each row has any number of labels, each with its own target column."""
        return self.answer == "label"

    @property
    def zero_or_one(self) -> bool:
        """Whether each unit predicts the probability of a 1."""
        return self.two_classes or self.labels

    @property
    def quantity(self) -> bool:
        """Whether the target is a number, without classes."""
        return self.answer == "quantity"

    @property
    def bounded(self) -> bool:
        """Whether the quantity has known bounds, from which it is scaled to 0..1."""
        return self.quantity and bool(self.activations)

    @property
    def unbounded(self) -> bool:
        """Whether the quantity is scaled by its mean and standard deviation."""
        return self.quantity and not self.activations

    @property
    def clamps(self) -> bool:
        """Whether the prediction is a number without bounds, which can be clipped to the range of the rows."""
        return self.unbounded and not self.deviation and not self.quantiles

    @property
    def row_measure(self) -> str:
        """The measure that compares rows: `accuracy` (the share that is right), or the error `rmse` or `pinball`."""
        if self.quantiles:
            return "pinball"
        return "rmse" if self.quantity else "accuracy"

    @property
    def baselines(self) -> tuple[str, str]:
        """The names of the two baselines: the constant one and the linear one."""
        if self.quantiles:
            return ("quantiles of train", "linear quantile regression")
        return ("mean", "ridge regression") if self.quantity else ("majority", "logistic regression")


SIGMOIDS = ("sigmoid", "hard_sigmoid")
NUMBER = "to predict the number {target}"
BINARY = Task("binary", "class", "to tell {names} in {target}", "BinaryCrossentropy", 1, SIGMOIDS)
MULTICLASS = Task(
    *("multiclass", "class", "to tell the {count} classes of {target} apart", "SparseCategoricalCrossentropy"),
    activations=("softmax",),
)
MULTILABEL = Task(
    "multilabel", "label", "to give each of {count} labels or not", "BinaryCrossentropy", activations=SIGMOIDS
)
REGRESSION = Task("regression", "quantity", NUMBER, "MeanSquaredError", 1)
UNIT_REGRESSION = Task("unit_regression", "quantity", NUMBER, "MeanSquaredError", 1, SIGMOIDS)
GAUSSIAN_REGRESSION = Task(
    "gaussian_regression", "quantity", NUMBER, "GaussianNegativeLogLikelihood", 2, deviation=True
)
QUANTILE_REGRESSION = Task("quantile_regression", "quantity", NUMBER, "PinballLoss", quantiles=True)
TASKS = {
    task.name: task
    for task in (
        *(BINARY, MULTICLASS, MULTILABEL, REGRESSION, UNIT_REGRESSION, GAUSSIAN_REGRESSION, QUANTILE_REGRESSION),
    )
}
