"""Builds a network for tables from the parts of RealMLP and TabM; conf/model/tabular.yaml explains its options.

After Holzmüller et al. 2024 (RealMLP), Gorishniy et al. 2022 (embeddings of numbers) and Gorishniy et al. 2024 (TabM).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from dltrain.config.tasks import Task
from dltrain.models import gaussian
from dltrain.models.linear_path import answer_bounds, first_share, linear_scores
from dltrain.models.members import Clamp, MemberLoss
from dltrain.models.mlp import dense_stack
from dltrain.models.numeric_embedding import distinct_edges, periodic, piecewise_linear, quantile_edges, smooth_clip
from dltrain.models.parts import Head, Inputs, Regularizers

FEWEST_BINS, ROWS_A_BIN = 2, 20
# How the edges of bins are found, and the most bins of `auto`.
EDGES = {"distinct": (distinct_edges, 64), "quantile": (quantile_edges, 16)}


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
    clamp: bool | Literal["auto"],
    initializer: Callable[[], Any],
    regularizer: Regularizers,
    bin_edges: Literal["distinct", "quantile"] = "quantile",
    linear_path: bool = False,
    bound: float | None = None,
) -> Any:
    """Embeds numbers and categories, scales each feature by a learned factor, and adds the hidden layers.

    The `ensemble` members share the hidden layers and differ in the scale of each input of the first and in their heads
    (TabM-mini).
    """
    hidden = embedded(
        inputs,
        numeric_embedding=numeric_embedding,
        numeric_dimension=numeric_dimension,
        frequencies=frequencies,
        frequency_scale=frequency_scale,
        bins=bins,
        bin_edges=bin_edges,
        bound=bound,
        feature_scaling=feature_scaling,
    )
    if ensemble > 1:
        hidden = _scale_for_members(hidden, ensemble)
    hidden = dense_stack(hidden, units, activation, dropout, initializer, regularizer)
    linear = linear_scores(inputs, head) if linear_path else None
    if ensemble == 1:
        answers = head(hidden, initializer=None if linear is None else first_share(), beside=linear)
    else:
        answers = head.of_scores(_mean_of_members(hidden, head, linear), apply=_averages_scores(head))
    if clamp and head.kind.clamps:
        # A bent target ends where its bends do.
        goes_on = clamp == "auto" and linear is not None and not head.knots
        low, high = answer_bounds(inputs, beyond=goes_on)
        answers = Clamp(low, high, name="clamp")(answers)
    return answers


def embedded(
    inputs: Inputs,
    *,
    numeric_embedding: str,
    numeric_dimension: int,
    frequencies: int,
    frequency_scale: float,
    bins: int | Literal["auto"],
    bin_edges: Literal["distinct", "quantile"],
    bound: float | None,
    feature_scaling: bool,
) -> Any:
    """Returns numbers, their vectors and categories in one tensor (batch, width), each times a learned factor."""
    table = None
    if "table" in inputs and inputs.numbers:
        count = inputs.numbers
        numbers, rest = inputs["table"][:, :count], inputs["table"][:, count:]
        train = inputs.train("table")[:, :count]
        if bound is not None:
            numbers, train = smooth_clip(numbers, bound), np.asarray(smooth_clip(train, bound))
        blocks = [numbers]
        if numeric_embedding == "periodic":
            blocks.append(keras.layers.Flatten()(periodic(numbers, numeric_dimension, frequencies, frequency_scale)))
        elif numeric_embedding == "piecewise_linear":
            edges = _edges(train, bins, bin_edges)
            blocks.append(keras.layers.Flatten()(piecewise_linear(numbers, edges, numeric_dimension)))
        blocks += [rest] if rest.shape[1] else []
        table = keras.layers.Concatenate()(blocks) if len(blocks) > 1 else numbers
    hidden = inputs.flat(table)
    if feature_scaling:
        hidden = keras.layers.EinsumDense(
            "bi,i->bi", output_shape=hidden.shape[1:], kernel_initializer="ones", name="feature_scaling"
        )(hidden)
    return hidden


def _edges(train: npt.NDArray[Any], bins: int | Literal["auto"], kind: str) -> npt.NDArray[np.float64]:
    """Returns the edges of the bins of each column of `train`, (n, columns)."""
    edges, most = EDGES[kind]
    # A bin with few rows would be overfitted.
    wanted = min(most, max(FEWEST_BINS, len(train) // ROWS_A_BIN)) if bins == "auto" else bins
    return edges(train, wanted)


def _scale_for_members(hidden: Any, members: int) -> Any:
    """Multiplies the units of a tensor (batch, width) by each member's own scales, (batch, members, width)."""
    width = hidden.shape[1]
    hidden = keras.layers.Reshape((1, members * width))(keras.layers.RepeatVector(members)(hidden))
    # Equals an EinsumDense "bki,ki->bki", which TensorFlow splits into tiny products, five times slower. The scales are
    # drawn at random because members must differ from the start.
    scale = keras.layers.DepthwiseConv1D(
        1, use_bias=False, depthwise_initializer=keras.initializers.RandomNormal(stddev=1.0), name="member_scales"
    )
    return keras.layers.Reshape((members, width))(scale(hidden))


def _averages_scores(head: Head) -> bool:
    """Tells whether scores are averaged, so that the activation comes after the mean."""
    return not (head.kind.bounded or head.kind.deviation)


def _mean_of_members(hidden: Any, head: Head, linear: Any) -> Any:
    """Applies each member's own head and returns the mean score, shape (batch, outputs).

    `linear`, shape (batch, outputs) or None, is added to the score of each member.
    """
    activation = None if _averages_scores(head) else head.activation
    scores = keras.layers.EinsumDense(
        "bki,kio->bko",
        output_shape=(hidden.shape[1], head.units),
        bias_axes="ko",
        kernel_initializer=keras.initializers.VarianceScaling(1.0, "fan_in") if linear is None else first_share(),
        activation=activation if linear is None else None,
        dtype=keras.config.floatx(),  # as in every head
        name="member_heads",
    )(hidden)
    if linear is not None:
        # In the other order Keras would take (batch, 1, 1) for a bias of the members where there are as many rows.
        together = linear[:, None] + scores
        scores = keras.layers.Activation(activation or "linear", dtype=keras.config.floatx())(together)
    if head.kind.deviation:
        scores = gaussian.natural_parameters(scores)
    # The pinball loss of a mean of quantiles does not follow from those of the members without the target.
    if not head.kind.quantiles:
        scores = MemberLoss(_loss_kind(head.kind), name="member_loss")(scores)
    return keras.ops.mean(scores, axis=1)


def _loss_kind(task: Task) -> str:
    """Returns the `kind` of `MemberLoss` for a task."""
    if task.quantity:
        return "gaussian" if task.deviation else "quantity"
    return "classes" if task.several_classes else "labels"
