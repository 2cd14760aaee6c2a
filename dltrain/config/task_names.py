"""The rows of the head table that share a trait, by name."""

from __future__ import annotations

CLASS_TASKS = ("binary", "multiclass")  # one class a row
GAUSSIAN = "gaussian_regression"
QUANTITIES = ("regression", "unit_regression", GAUSSIAN)
