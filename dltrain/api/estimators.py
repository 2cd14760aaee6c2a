"""Offers the engine as estimators of scikit-learn: a classifier and a regressor for tables."""

from __future__ import annotations

import json
import numbers
import re
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_array, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from dltrain.api.run import Run
from dltrain.api.training import train
from dltrain.base.errors import DltrainError
from dltrain.config.tasks import BINARY, MULTICLASS, REGRESSION

TARGET, WEIGHT = "target", "weight"  # the columns beside the features
FACTS = "estimator.json"  # in the .keras file, beside what Keras writes
SIGNATURE = "signature.json"
# Groups and keys of a run that an estimator decides itself, or whose results it does not have.
REFUSED = {
    "cv": "use scikit-learn's cross_validate",
    "seeds": "fit one for each random_state",
    "conformal": "use dltrain.train, whose run gives intervals",
    "split": "validation_fraction is the share of rows for early stopping",
    "search": "use dltrain.sweep, or a search of scikit-learn",
    "score_test": "use its method score",
}


# The bytes and the model that they gave, since a prediction must not change an estimator.
_loaded: WeakKeyDictionary[_Estimator, tuple[bytes, Any]] = WeakKeyDictionary()


class EstimatorError(DltrainError, ValueError):
    """A fault that scikit-learn takes for a wrong value; `faults` lists what is wrong."""


class _Estimator(BaseEstimator):
    """What both estimators share. The bytes of a .keras file stand for the model, also in a pickle."""

    def __init__(
        self,
        model: str = "tabular",
        *,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        random_state: Any = None,
        directory: str | Path | None = None,
        **overrides: Any,
    ) -> None:
        self.model = model
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.directory = directory
        self.overrides = overrides

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the parameters, with each override by its own name."""
        own = ("model", "early_stopping", "validation_fraction", "random_state", "directory")
        return {**{name: getattr(self, name) for name in own}, **self.overrides}

    def set_params(self, **params: Any) -> Self:
        """Sets parameters; a name that is none of the constructor's is an override, such as `trainer__epochs`."""
        own = self.get_params().keys() - self.overrides.keys()
        for name, value in params.items():
            if name in own:
                setattr(self, name, value)
            else:
                self.overrides = {**self.overrides, name: value}
        return self

    def _counting(
        self,
        X: Any,  # noqa: N803 - the name in scikit-learn
        y: Any,
        sample_weight: Any,
        dtype: Any = None,
    ) -> tuple[pd.DataFrame, npt.NDArray[Any], npt.NDArray[np.float64] | None]:
        """Returns the rows that count, their targets, shape (n,), and their weights, which are above 0."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        frame, target = self._frame(X, reset=True), column_or_1d(y, warn=True, dtype=dtype)
        check_consistent_length(frame, target)
        if sample_weight is None:
            return frame, target, None
        weights = check_array(
            sample_weight, dtype=np.float64, ensure_2d=False, ensure_non_negative=True, input_name="sample_weight"
        )
        if weights.ndim != 1:
            raise ValueError(f"sample_weight has the shape {weights.shape}, expected a number for each row.")
        check_consistent_length(frame, weights)
        counting = weights > 0
        if not counting.any():
            raise ValueError("sample_weight is zero for every row; expected one row at least that counts.")
        return frame[counting], target[counting], weights[counting]

    def _fit(
        self, frame: pd.DataFrame, target: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None, task: str
    ) -> None:
        if faults := [
            f"{name} has no effect on an estimator: {REFUSED[name]}." for name in self.overrides if name in REFUSED
        ]:
            raise EstimatorError(faults)
        kinds = {name: "numeric" for name in frame if _is_numeric(frame[name])}
        frame = frame.assign(**{TARGET: target})
        words: list[str] = []
        if weights is not None:
            frame = frame.assign(**{WEIGHT: weights})
            words.append(f"dataset.weight={WEIGHT}")
        settings: dict[str, Any] = {
            **({"experiment": "tabular"} if self.model == "tabular" else {"model": self.model}),
            "task": task,
            "split": "no_test",
            "split.validation": self.validation_fraction if self.early_stopping else None,
            "dataset.kinds": kinds,
            "report": "auto" if self.directory is not None else False,
            "checks": "none",
            "quiet": True,
        }
        if not self.early_stopping:
            words += ["~callbacks.early_stopping", "~callbacks.checkpoint"]
        if self.directory is None:
            words.append("~callbacks.tensorboard")
        if self.random_state is not None:
            settings["seed"] = _seed(self.random_state)
        if self.directory is not None:
            Path(self.directory).mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix="fit_", dir=self.directory))
        try:
            given = {**settings, **{name.replace("__", "."): value for name, value in self.overrides.items()}}
            run = train(*words, data=frame, target=TARGET, directory=place, **given)
            self._keep(run)
        except DltrainError as error:
            raise EstimatorError(error.faults) from error
        finally:
            if self.directory is None:
                shutil.rmtree(place, ignore_errors=True)

    def _keep(self, run: Run) -> None:
        self.history_ = run.history
        self._file = (run.directory / "model.keras").read_bytes()
        self._signature = (run.directory / SIGNATURE).read_text("utf-8")

    def _frame(self, X: Any, *, reset: bool) -> pd.DataFrame:  # noqa: N803
        """Returns the checked features as a frame with the names that the model has."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if not len(X.columns):
                raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
            frame = X.reset_index(drop=True)
            for name in frame.select_dtypes("number"):
                if np.isinf(frame[name].to_numpy(np.float64, na_value=np.nan)).any():
                    raise ValueError(f"Column '{name}' contains infinity.")
        else:
            least = 2 if reset else 1
            wanted = {"dtype": "numeric", "ensure_all_finite": "allow-nan", "ensure_min_samples": least}
            cells = validate_data(self, X, reset=reset, **wanted)
            frame = pd.DataFrame(cells)
        return frame.set_axis([_name(name, place) for place, name in enumerate(frame)], axis=1)

    def _answers(self, X: Any) -> npt.NDArray[np.float32]:  # noqa: N803
        """Returns the outputs of the network, shape (rows, units)."""
        from dltrain.inference.row_inputs import RowInputs
        from dltrain.inference.rows import frame_rows

        check_is_fitted(self, "_file")
        frame = self._frame(X, reset=False)
        try:
            model = self._model()
            found = [each for _, each in model.answered([frame_rows(frame, model.missing)], RowInputs(model.signature))]
        except DltrainError as error:
            raise EstimatorError(error.faults) from error
        answers: npt.NDArray[np.float32] = np.concatenate(found)
        return answers

    def _model(self) -> Any:
        known = _loaded.get(self)
        if known is None or known[0] is not self._file:
            from dltrain.api.finished_run import load

            with tempfile.TemporaryDirectory() as place:
                Path(place, "run.json").write_text('{"status": "completed"}')
                Path(place, SIGNATURE).write_text(self._signature, "utf-8")
                Path(place, "model.keras").write_bytes(self._file)
                known = _loaded[self] = self._file, load(place)
        return known[1]

    def save(self, path: str | Path) -> None:
        """Writes one file from which `load` makes the fitted estimator again; Keras reads its model too.

        Raises:
            EstimatorError: If a parameter has no form in JSON.
        """
        check_is_fitted(self, "_file")
        try:
            facts = {"class": type(self).__name__, "params": self.get_params(), **self._facts()}
            text = json.dumps(facts, default=_plain)
        except TypeError as error:
            raise EstimatorError(f"{type(self).__name__} cannot be saved without pickle: {error}.") from error
        Path(path).write_bytes(self._file)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(FACTS, text)
            archive.writestr(SIGNATURE, self._signature)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads what `save` wrote; nothing of it is run.

        Raises:
            EstimatorError: If the file holds no estimator of this class.
        """
        try:
            with zipfile.ZipFile(path) as archive:
                facts = json.loads(archive.read(FACTS))
                signature = archive.read(SIGNATURE).decode()
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
            raise EstimatorError(f"'{path}' holds no saved estimator: {error}.") from error
        if facts["class"] != cls.__name__:
            raise EstimatorError(f"'{path}' holds a {facts['class']}, expected a {cls.__name__}.")
        made = cls(**facts["params"])
        made._file, made._signature = Path(path).read_bytes(), signature
        made._set_facts(facts)
        return made

    def _facts(self) -> dict[str, Any]:
        names = getattr(self, "feature_names_in_", None)
        return {
            "n_features_in": self.n_features_in_,
            "feature_names_in": None if names is None else list(names),
            "history": self.history_.reset_index().to_dict("list"),
        }

    def _set_facts(self, facts: dict[str, Any]) -> None:
        self.n_features_in_ = facts["n_features_in"]
        if facts["feature_names_in"] is not None:
            self.feature_names_in_ = np.array(facts["feature_names_in"], dtype=object)
        self.history_ = pd.DataFrame(facts["history"]).set_index("epoch")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Classifier(ClassifierMixin, _Estimator):
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


class Regressor(RegressorMixin, _Estimator):
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


def _is_numeric(cells: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype)


def _name(name: Any, place: int) -> str:
    """Returns the name of a column, or x0, x1, … for one that is no plain word or that another has already."""
    plain = isinstance(name, str) and re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) is not None
    return name if plain and name not in (TARGET, WEIGHT) and not re.fullmatch(r"x\d+", name) else f"x{place}"


def _seed(random_state: Any) -> int:
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no form in JSON")
