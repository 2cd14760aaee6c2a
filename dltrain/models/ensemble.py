"""Averages the predictions of several models in one model."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.config.tasks import Task
from dltrain.data.dataset import Dataset
from dltrain.models.gaussian import mixture
from dltrain.preprocessing.fit import raw_blocks


def average(models: Sequence[keras.Model], task: Task, counts: Sequence[int] | None = None) -> keras.Model:
    """Returns a model of the mean prediction, with the preprocessing of each model inside.

    Means with standard deviations are joined as a mixture of normal distributions (Lakshminarayanan et al. 2017). Each
    model has a name of its own and the same raw columns as input, and counts once or as often as `counts` says.
    """
    columns = models[0].input
    inputs = {name: keras.Input(column.shape[1:], dtype=column.dtype, name=name) for name, column in columns.items()}
    once = [model(inputs) for model in models]
    answers = [answer for answer, count in zip(once, counts or [1] * len(once), strict=True) for _ in range(count)]
    if len(answers) == 1:
        return keras.Model(inputs, answers[0], name="dltrain")
    joined = mixture(answers) if task.deviation else keras.layers.Average(name="average")(answers)
    return keras.Model(inputs, joined, name="dltrain")


def predict(model: keras.Model, dataset: Dataset) -> npt.NDArray[np.float32]:
    """Predicts all rows with a model that takes raw columns; returns shape (rows, units)."""
    inputs = raw_blocks(dataset, np.arange(len(dataset)))
    blocks = [model({name: tf.constant(cells) for name, cells in raw.items()}, training=False) for raw in inputs]
    return np.concatenate([block.numpy() for block in blocks]).astype(np.float32)
