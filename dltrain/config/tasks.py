"""The tasks: what each row of the head table asks of the target, of the last layer and of whoever shows its answers.

Names and numbers alone. What has to differ between tasks asks for one of these traits, so that a task is known here and
compared by its name nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Task:
    """What a row of the head table is fixed to; its YAML file says the rest.

    Attributes:
        name: as `task=` has it.
        answer: what a row is answered with: one of the classes, any number of labels, or a quantity.
        purpose: of the training, in words with gaps for `names`, `count` and `target`.
        loss: class of the loss that is minus the log-likelihood of such a target.
        units: of the last layer; None stands for one a class or label.
        activations: those of the last layer that keep within the range of the target; empty where it has no bounds.
        deviation: whether the answer is a mean with its standard deviation.
    """

    name: str
    answer: Literal["class", "label", "quantity"]
    purpose: str
    loss: str
    units: int | None = None
    activations: tuple[str, ...] = ()
    deviation: bool = False

    @property
    def one_class(self) -> bool:
        """Whether each row has one class, so that parts are drawn class by class."""
        return self.answer == "class"

    @property
    def two_classes(self) -> bool:
        """Whether the single unit is the probability of the second of two classes, which a threshold decides."""
        return self.one_class and self.units == 1

    @property
    def several_classes(self) -> bool:
        """Whether the target is a class number and every class has a unit."""
        return self.one_class and self.units is None

    @property
    def labels(self) -> bool:
        """Whether each row has any number of labels, and one target column for each."""
        return self.answer == "label"

    @property
    def zero_or_one(self) -> bool:
        """Whether a unit answers with the probability of its 1."""
        return self.two_classes or self.labels

    @property
    def quantity(self) -> bool:
        """Whether the target is a number, with no classes."""
        return self.answer == "quantity"

    @property
    def bounded(self) -> bool:
        """Whether the quantity lies between known bounds, from which it is scaled to 0..1."""
        return self.quantity and bool(self.activations)

    @property
    def unbounded(self) -> bool:
        """Whether the quantity is scaled by its mean and standard deviation."""
        return self.quantity and not self.activations

    @property
    def clamps(self) -> bool:
        """Whether the answer is a number without bounds of its own, which can be kept within those of the rows."""
        return self.unbounded and not self.deviation

    @property
    def row_measure(self) -> str:
        """What rows are compared by: `accuracy` (the share that is right), or `rmse` (the root of the mean square)."""
        return "rmse" if self.quantity else "accuracy"

    @property
    def baselines(self) -> tuple[str, str]:
        """Names of the simple models that answer beside the network: the constant one and the linear one."""
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
TASKS = {task.name: task for task in (BINARY, MULTICLASS, MULTILABEL, REGRESSION, UNIT_REGRESSION, GAUSSIAN_REGRESSION)}
