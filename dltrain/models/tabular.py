"""A network for tables, of the parts that made such networks good: RealMLP and TabM.

Holzmüller et al. 2024 (RealMLP), Gorishniy et al. 2022 (embeddings of numbers), Gorishniy et al. 2024 (TabM).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras

from dltrain.base.errors import ConfigError
from dltrain.config.tasks import Task
from dltrain.models import gaussian
from dltrain.models.members import Clamp, MemberLoss
from dltrain.models.numeric_embedding import periodic, piecewise_linear
from dltrain.models.parts import Head, Inputs, Regularizers

FEWEST_BINS, MOST_BINS, ROWS_A_BIN = 2, 16, 20


def tabular(
    inputs: Inputs,
    head: Head,
    *,
    units: Sequence[int],
    activation: str,
    dropout: float,
    feature_scaling: bool,
    numeric_embedding: str,
    numeric_dimension: int,
    frequencies: int,
    frequency_scale: float,
    bins: int | Literal["auto"],
    ensemble: int,
    clamp: bool,
    initializer: Callable[[], Any],
    regularizer: Regularizers,
) -> Any:
    """Embedded numbers, one-hot or embedded categories, a learned scale for each, then hidden layers of k members.

    Args:
        inputs: the feature tensors.
        head: the last layer.
        units: width of each hidden layer.
        activation: name of a Keras activation.
        dropout: share of units dropped in training, after each hidden layer.
        feature_scaling: whether each feature is first multiplied by a learned number.
        numeric_embedding: none, periodic or piecewise_linear.
        numeric_dimension: length of a number's vector.
        frequencies: of the periodic embedding, for each column.
        frequency_scale: standard deviation of the first frequencies.
        bins: of the piecewise-linear embedding, for each column; `auto` one for every 20 train rows, from 2 to 16.
        ensemble: number of members, which share their hidden layers and differ in a scale for each input of the
            first and in their heads (TabM-mini); 1 is a plain network.
        clamp: whether a regression's answers are kept within the range of the train targets.
        initializer: of the hidden kernels.
        regularizer: of the hidden kernels and biases.
    """
    table = None
    if "table" in inputs and inputs.numbers and numeric_embedding != "none":
        table = _embedded(inputs, numeric_embedding, numeric_dimension, frequencies, frequency_scale, bins)
    hidden = inputs.flat(table)
    if hidden is None:
        raise ConfigError("model=tabular needs numbers or categories, and this dataset has text alone.")
    if feature_scaling:
        hidden = keras.layers.EinsumDense(
            "bi,i->bi", output_shape=hidden.shape[1:], kernel_initializer="ones", name="feature_scaling"
        )(hidden)
    if ensemble > 1:
        hidden = _of_members(hidden, ensemble)
    for width in units:
        hidden = keras.layers.Dense(
            width,
            kernel_initializer=initializer(),
            kernel_regularizer=regularizer.kernel,
            bias_regularizer=regularizer.bias,
        )(hidden)
        hidden = keras.layers.Activation(activation)(hidden)
        if dropout:
            hidden = keras.layers.Dropout(dropout)(hidden)
    answers = head(hidden) if ensemble == 1 else head.of_scores(_mean_of_members(hidden, head), apply=_applies(head))
    if clamp and head.kind.clamps:
        targets = inputs.train("target")
        answers = Clamp(float(targets.min()), float(targets.max()), name="clamp")(answers)
    return answers


def _embedded(
    inputs: Inputs, kind: str, dimension: int, frequencies: int, frequency_scale: float, bins: int | Literal["auto"]
) -> Any:
    """The table with a vector in the place of each number, shape (batch, width)."""
    table, count = inputs["table"], inputs.numbers
    numbers, rest = table[:, :count], table[:, count:]
    if kind == "periodic":
        vectors = periodic(numbers, dimension, frequencies, frequency_scale)
    else:
        train = inputs.train("table")[:, :count]
        # A slope that few rows decide would learn them by heart.
        wanted = min(MOST_BINS, max(FEWEST_BINS, len(train) // ROWS_A_BIN)) if bins == "auto" else bins
        vectors = piecewise_linear(numbers, train, dimension, wanted)
    blocks = [numbers, keras.layers.Flatten()(vectors)]
    return keras.layers.Concatenate()([*blocks, rest] if rest.shape[1] else blocks)


def _of_members(hidden: Any, members: int) -> Any:
    """What each member sees of a tensor (batch, width): its units times numbers of its own, (batch, members, width)."""
    width = hidden.shape[1]
    hidden = keras.layers.Reshape((1, members * width))(keras.layers.RepeatVector(members)(hidden))
    # The same as an EinsumDense "bki,ki->bki", which TensorFlow takes apart into tiny products: five times slower.
    # Members must differ from the start, so that the scales are drawn.
    scale = keras.layers.DepthwiseConv1D(
        1, use_bias=False, depthwise_initializer=keras.initializers.RandomNormal(stddev=1.0), name="member_scales"
    )
    return keras.layers.Reshape((members, width))(scale(hidden))


def _applies(head: Head) -> bool:
    """Whether the mean is taken of scores, so that the activation comes after it."""
    return not (head.kind.bounded or head.kind.deviation)


def _mean_of_members(hidden: Any, head: Head) -> Any:
    """A head of its own for each member, and their mean score, shape (batch, outputs)."""
    scores = keras.layers.EinsumDense(
        "bki,kio->bko",
        output_shape=(hidden.shape[1], head.units),
        bias_axes="ko",
        kernel_initializer=keras.initializers.VarianceScaling(1.0, "fan_in"),
        activation=None if _applies(head) else head.activation,
        dtype=keras.config.floatx(),  # as every head
        name="member_heads",
    )(hidden)
    if head.kind.deviation:
        scores = gaussian.natural_parameters(scores)
    scores = MemberLoss(_likelihood(head.kind), name="member_loss")(scores)
    return keras.ops.mean(scores, axis=1)


def _likelihood(task: Task) -> str:
    """What the loss of a task is a likelihood of, in the words of `MemberLoss`."""
    if task.quantity:
        return "gaussian" if task.deviation else "quantity"
    return "classes" if task.several_classes else "labels"
