"""Offers the engine as estimators of scikit-learn: a classifier and a regressor for tables."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets

from dltrain.api.base_estimator import Estimator
from dltrain.config.tasks import BINARY, MULTICLASS, REGRESSION


class Classifier(ClassifierMixin, Estimator):
    """A network that tells classes apart, as an estimator of scikit-learn.

    `model` is an option of that group, `tabular` with the recipe of `experiment=tabular`; every other keyword is an
    override, with a double underscore for the dot of a key. Arrays hold numbers; columns of a data frame may hold words
    too, and cells may be missing. No test rows are held back; with `early_stopping` the share `validation_fraction` of
    the rows decides when to stop. Each fit writes into a folder of its own below `directory`, else nothing is kept.

    >>> from sklearn.datasets import load_iris
    >>> rows, kinds = load_iris(return_X_y=True)
    >>> flowers = dltrain.Classifier("mlp", trainer__epochs=3).fit(rows, kinds)
    >>> flowers.predict_proba(rows).shape
    (150, 3)

    Attributes:
        classes_: The classes, sorted, shape (classes,).
        n_features_in_: The number of columns.
        history_: A frame with a row for each epoch.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Trains on rows of shape (n, columns) and their classes, shape (n,); weights, shape (n,), may be 0 or more."""
        frame, target, weights = self._counting(X, y, sample_weight)
        check_classification_targets(target)
        self.classes_, codes = np.unique(target, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only, {self.classes_[0]!r}: there is nothing to learn; expected two.")
        self._fit(frame, codes, weights, BINARY.name if len(self.classes_) == 2 else MULTICLASS.name)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Returns the probability of each class, shape (n, classes)."""
        answers = self._answers(X).astype(np.float64)
        return np.column_stack([1 - answers[:, 0], answers[:, 0]]) if len(self.classes_) == 2 else answers

    def predict(self, X: Any) -> npt.NDArray[Any]:  # noqa: N803
        """Returns the most probable class of each row, shape (n,)."""
        places = self.predict_proba(X).argmax(axis=1)
        found: npt.NDArray[Any] = self.classes_[places]
        return found

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "classes": self.classes_.tolist(), "dtype": str(self.classes_.dtype)}

    def _set_facts(self, facts: dict[str, Any]) -> None:
        super()._set_facts(facts)
        self.classes_ = np.array(facts["classes"], dtype=facts["dtype"])


class Regressor(RegressorMixin, Estimator):
    """A network that predicts a quantity, as an estimator of scikit-learn; its parameters are those of `Classifier`.

    >>> from sklearn.datasets import load_diabetes
    >>> rows, progress = load_diabetes(return_X_y=True)
    >>> dltrain.Regressor("mlp", trainer__epochs=3).fit(rows, progress).predict(rows).shape
    (442,)

    Attributes:
        n_features_in_: The number of columns.
        history_: A frame with a row for each epoch.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Trains on rows of shape (n, columns) and their numbers, shape (n,); weights, shape (n,), may be 0 or more."""
        frame, target, weights = self._counting(X, y, sample_weight, np.float64)
        if not np.isfinite(target).all():
            raise ValueError("Input y contains NaN or infinity.")
        self._fit(frame, target, weights, REGRESSION.name)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803
        """Returns the predicted number of each row, shape (n,)."""
        return self._answers(X)[:, 0].astype(np.float64)
