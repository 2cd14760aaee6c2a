"""One model that averages several: their answers for the same raw columns."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.config.tasks import Task
from dltrain.data.dataset import Dataset
from dltrain.models.gaussian import mixture
from dltrain.preprocessing.fit import ROWS_AT_ONCE, raw_inputs


def average(models: Sequence[keras.Model], task: Task) -> keras.Model:
    """The mean of probabilities or of values, each model with its own preprocessing inside.

    Of means with standard deviations it is the mixture of these normal distributions (Lakshminarayanan et al. 2017).

    Args:
        models: at least two, each from the same raw columns to the same answer, with names of their own.
        task: whose answers they give.
    """
    columns = models[0].input
    inputs = {name: keras.Input(column.shape[1:], dtype=column.dtype, name=name) for name, column in columns.items()}
    answers = [model(inputs) for model in models]
    joined = mixture(answers) if task.deviation else keras.layers.Average(name="average")(answers)
    return keras.Model(inputs, joined, name="dltrain")


def predict(model: keras.Model, dataset: Dataset) -> npt.NDArray[np.float32]:
    """The answers for all rows, shape (rows, units).

    Args:
        model: from raw columns to the answer.
        dataset: the rows.
    """
    raw = raw_inputs(dataset)
    blocks = [
        model({name: tf.constant(cells[first : first + ROWS_AT_ONCE]) for name, cells in raw.items()}, training=False)
        for first in range(0, len(dataset), ROWS_AT_ONCE)
    ]
    return np.concatenate([block.numpy() for block in blocks]).astype(np.float32)
