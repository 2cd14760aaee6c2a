"""The model of a run as MLflow serves it: raw columns in, predictions out. MLflow runs this file; nothing pickled."""

from __future__ import annotations

from typing import Any

import mlflow.pyfunc
import pandas as pd

import dltrain


class Served(mlflow.pyfunc.PythonModel):
    """Answers with `prediction` and the probability of each class."""

    def load_context(self, context: Any) -> None:
        """Called by MLflow once, before the first rows."""
        self._model = dltrain.load(context.artifacts["run"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Called by MLflow with rows of raw columns."""
        answers: pd.DataFrame = self._model.predict(model_input)
        return answers


mlflow.models.set_model(Served())
