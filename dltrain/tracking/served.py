"""Serves the model of a run in MLflow, which runs this file; nothing is pickled."""

from __future__ import annotations

from typing import Any

import mlflow.pyfunc
import pandas as pd

import dltrain


class Served(mlflow.pyfunc.PythonModel):
    """Predicts `prediction` and the probability of each class from raw columns."""

    def load_context(self, context: Any) -> None:
        """Called by MLflow once, before the first rows."""
        self._model = dltrain.load(context.artifacts["run"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Called by MLflow with rows of raw columns."""
        answers: pd.DataFrame = self._model.predict(model_input)
        return answers


mlflow.models.set_model(Served())
