"""Compares automatic with numeric gradients, layer by layer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.base.outcome import FAILED, FINE, LOOK, Outcome
from dltrain.engine.distribution import local

ROWS = 16
STEP = 1e-5  # change of a weight to either side, at which rounding and curvature each leave about ten digits
JITTER = 0.05  # moves weights away from kinks and from zeros of the gradient
MOST_WEIGHTS = 40  # of each variable, half of them with the greatest gradients
SECONDS = 25.0
# Limits of the relative error: below the first the gradient is right, above the last it is wrong.
RIGHT, DOUBTFUL, WRONG = 1e-7, 1e-5, 1e-3
NOISE = 1e-4  # a gradient below this share of the greatest one is lost in rounding

Numbers = npt.NDArray[np.float64]


def check_gradients(network: keras.Model, features: Mapping[str, Any], targets: npt.NDArray[Any], seed: int) -> Outcome:
    """Compares the gradients that training uses with (loss(w + h) - loss(w - h)) / 2h.

    The relative error of a layer is ‖numeric - automatic‖ / (‖numeric‖ + ‖automatic‖) over some of its weights, of
    which `seed` draws half. Layers behave as in training; dropout drops the same units in each evaluation. The network
    is compiled in double precision, and its weights are changed. The first 16 rows of `features` and `targets` (n,
    units) are used.
    """
    random = np.random.default_rng(seed)
    features = {name: tf.constant(values[:ROWS]) for name, values in features.items()}
    targets = tf.cast(tf.constant(targets[:ROWS]), tf.float64)
    states = [(state, tf.constant(np.array(state))) for state in network.non_trainable_variables]
    weights = network.trainable_variables

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def loss() -> Any:
        for state, value in states:
            state.assign(value)
        answers = network(features, training=True)
        return network.compute_loss(x=features, y=targets, y_pred=answers, training=True)

    for weight in weights:
        weight.assign(np.array(weight) + random.normal(0, JITTER, weight.shape))
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, [local(weight) for weight in weights])
    began = time.monotonic()
    rows = []
    # From the head down, since a wrong gradient of a layer makes those of the layers before it wrong.
    for layer in reversed(network.layers):
        pairs = [
            (weight, found[place])
            for place, weight in enumerate(weights)
            if any(weight is own for own in layer.trainable_variables)
        ]
        if not pairs or time.monotonic() - began > SECONDS:
            continue
        sides = [_both(weight, gradient, loss, random) for weight, gradient in pairs]
        automatic, numeric = (np.concatenate(side) for side in zip(*sides, strict=True))
        rows.append((layer.name, len(automatic), automatic, numeric))
    return _judged(rows, sum(bool(layer.trainable_variables) for layer in network.layers))


def _both(weight: Any, gradient: Any, loss: Any, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Returns the automatic and the numeric derivative by some numbers of a variable."""
    start = np.array(weight, np.float64)
    automatic = np.zeros(start.size) if gradient is None else np.asarray(tf.convert_to_tensor(gradient)).ravel()
    count = min(start.size, MOST_WEIGHTS)
    greatest = np.argsort(-np.abs(automatic))[: (count + 1) // 2]
    others = random.permutation(np.setdiff1d(np.arange(start.size), greatest))[: count - len(greatest)]
    chosen = np.concatenate([greatest, others]).astype(np.int64)
    numeric = np.empty(len(chosen))
    for place, position in enumerate(chosen):
        sides = []
        for step in (STEP, -STEP):
            moved = start.copy()
            moved.flat[position] += step
            weight.assign(moved)
            sides.append(float(loss()))
        numeric[place] = (sides[0] - sides[1]) / (2 * STEP)
    weight.assign(start)
    return automatic[chosen], numeric


def _judged(rows: list[tuple[str, int, Numbers, Numbers]], layers: int) -> Outcome:
    greatest = max((np.linalg.norm(a) + np.linalg.norm(n) for _, _, a, n in rows), default=0.0)
    details = []
    for name, count, automatic, numeric in rows:
        scale = max(np.linalg.norm(automatic) + np.linalg.norm(numeric), NOISE * greatest)
        error = float(np.linalg.norm(automatic - numeric) / scale) if scale else 0.0
        details.append({"layer": name, "weights": count, "relative_error": error, "verdict": _verdict(error)})
    shown = tuple(details)
    if greatest == 0:
        return Outcome("gradients", FAILED, "Every gradient is zero: no weight has an influence on the loss.", shown)
    worst = max(details, key=lambda each: float(str(each["relative_error"])))
    wrong = [str(each["layer"]) for each in details if each["verdict"] == "wrong"]
    right = [str(each["layer"]) for each in details if each["verdict"] != "wrong"]
    part = f" ({len(rows)} of {layers} layers in {SECONDS:.0f} s)" if len(rows) < layers else ""
    if wrong:
        above = f"; of {right[-1]}, above it, it is right: look at what lies between" if right else ""
        text = f"The gradient of {wrong[0]} is wrong, relative error {worst['relative_error']:.1g}{above}."
        return Outcome("gradients", FAILED, text, shown)
    status = FINE if float(str(worst["relative_error"])) < DOUBTFUL else LOOK
    text = f"Numeric and automatic gradients agree{part}: largest relative error {worst['relative_error']:.1g}, "
    return Outcome("gradients", status, f"{text}in {worst['layer']}.", shown)


def _verdict(error: float) -> str:
    return "right" if error < RIGHT else "good" if error < DOUBTFUL else "doubtful" if error < WRONG else "wrong"


@contextmanager
def double_precision() -> Iterator[None]:
    """Makes Keras use 64 bits, since rounding would dominate a numeric gradient of 32 bits."""
    before, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before)
        keras.config.set_dtype_policy(policy)
