"""Checks the start of a training: first loss, signals through the layers, and overfitting of one batch."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import numpy.typing as npt

from dltrain.base.outcome import FAILED, FINE, LOOK, Outcome
from dltrain.checkup.checked_network import CheckedNetwork
from dltrain.config.metric_traits import traits_of
from dltrain.data.targets import Target
from dltrain.engine.layer_limits import DEAD_SHARE, EXPLODED, VANISHED
from dltrain.engine.layer_statistics import look_at_layers
from dltrain.models import linear_path
from dltrain.models.network import build_loss, build_metrics
from dltrain.scoring.evaluation import score

FAR, TOO_FAR = 3.0, 10.0  # times the expected loss
# What classes may cost above a blind guess: half the variance of their logits, which Glorot's and He's initializations
# keep at about 1. A share of the loss would allow more, the more classes there are.
SURE = 0.5
OVERFIT_ROWS = 8
OVERFIT_STEPS = 600
LEARNED, HALF = 0.1, 0.5  # shares of the first loss
LAYER_ROWS = 256
TOO_LARGE = 100.0  # standard deviation from which a layer's output is too large
TOO_SMALL = 1e-4  # standard deviation below which it is too small


def check_first_loss(checked: CheckedNetwork) -> Outcome:
    """Compares the loss before any step with that of a constant guess: ln 2, ln C, or the target's variance."""
    checked.restore()
    truth = checked.truth
    loss = build_loss(checked.task, truth)
    constant = np.broadcast_to(np.array(_constant_guess(truth), np.float32), (len(checked), truth.units))
    expected = float(np.mean(np.asarray(loss.call(truth.column, constant), np.float64)))
    answers = np.asarray(checked.network(checked.features, training=True))
    checked.restore()
    value = float(np.mean(np.asarray(loss.call(truth.column, answers), np.float64)))
    if truth.kind.deviation:  # a log-density depends on the unit, and could make a loss negative
        expected, value = expected - math.log(truth.scale), value - math.log(truth.scale)
    choices = 2 if truth.kind.zero_or_one else len(truth.classes)
    known = (
        f"expected about ln {choices} = {expected:.4g}"
        if choices
        else f"a constant answer has {expected:.4g}, and random first answers may have {FAR:g} times as much"
    )
    text = f"{value:.4g} without penalties; {known}."
    details = ({"loss": value, "expected": expected},)
    if not value <= (expected + SURE if choices else FAR * expected):
        text += " The first answers are too sure of themselves: look at initializer, scaling and the last layer."
        return Outcome("first loss", LOOK if value <= TOO_FAR * expected else FAILED, text, details)
    if value < expected and any(layer.name == linear_path.NAME for layer in checked.network.layers):
        return Outcome("first loss", FINE, f"{text} The linear path has fitted the train rows.", details)
    if value < expected / FAR:
        return Outcome("first loss", LOOK, f"{text} It is lower than a blind guess: does a column leak?", details)
    return Outcome("first loss", FINE, text, details)


def check_one_batch(checked: CheckedNetwork) -> Outcome:
    """Tests whether eight rows can be overfitted; if not, rows and targets, loss or updates do not fit together."""
    checked.restore()
    rows = _different_rows(checked)
    loss = build_loss(checked.task, checked.truth)
    part = checked.truth.take(rows)
    features = {name: values[rows] for name, values in checked.numbers.items()}

    def answers() -> npt.NDArray[np.float32]:
        return np.asarray(checked.network(features, training=False))

    def mean_loss() -> float:
        return float(np.mean(np.asarray(loss.call(part.column, answers()), np.float64)))

    first = mean_loss()
    checked.train(np.tile(rows, OVERFIT_STEPS), len(rows))
    last = mean_loss()
    metrics = build_metrics(checked.task, part)
    scores = score(metrics, part, answers())
    checked.restore()
    share = last / first if first else 0.0
    shares = [scores[metric.name] for metric in metrics if traits_of(type(metric)).share_of_rows]
    right = part.kind.one_class and 1.0 in shares
    text = f"Loss {first:.3g} to {last:.2g} in {OVERFIT_STEPS} steps on {len(rows)} rows"
    details = ({"rows": len(rows), "steps": OVERFIT_STEPS, "first_loss": first, "last_loss": last, **scores},)
    if right or share < LEARNED:
        return Outcome("one batch", FINE, f"{text}: learned by heart{', every row right' if right else ''}.", details)
    tries = (f"optimizer.learning_rate={checked.rate * 10:g}",)
    if share < HALF:
        return Outcome("one batch", LOOK, f"{text}: on its way, but slowly.", details, tries)
    text += ": not learned. Do rows and targets belong together, and do the gradients arrive?"
    return Outcome("one batch", FAILED, text, details, tries)


def check_flow(checked: CheckedNetwork) -> Outcome:
    """Checks mean and deviation of activations and gradients of each layer, and dead units, before any step."""
    checked.restore()
    features = {name: values[:LAYER_ROWS] for name, values in checked.numbers.items()}
    layers = look_at_layers(checked.network, features, checked.truth.column[:LAYER_ROWS], training=True)
    checked.restore()
    details = tuple(asdict(layer) for layer in layers)
    trained = [layer for layer in layers if layer.weights > 1 and "Normalization" not in layer.kind]
    rms = [layer.gradient_rms or 0.0 for layer in trained]
    tries: tuple[str, ...] = ("initializer=he_normal", "normalization=batch")
    # What follows the last weights is in the unit of the target, so that its spread says nothing about the network.
    weighted = [place for place, layer in enumerate(layers, start=1) if layer.weights]
    inner = layers[: weighted[-1]] if weighted else layers
    # Conditions are negated so that NaN counts as too large.
    for layer in inner:
        if not layer.sd <= TOO_LARGE:
            text = f"Exploding: the outputs of {layer.name} have a standard deviation of {layer.sd:.3g}."
            return Outcome("layers", FAILED, text, details, tries)
        if layer.gradient_rms is not None and not layer.gradient_rms <= EXPLODED:
            text = f"Exploding: the gradient of {layer.name} is {layer.gradient_rms:.3g} a weight (root mean square)."
            return Outcome("layers", FAILED, text, details, ("optimizer.global_clipnorm=1", *tries))
    for layer in trained:
        if layer.sd < TOO_SMALL:
            text = f"Vanishing: the outputs of {layer.name} have a standard deviation of {layer.sd:.2g}."
            return Outcome("layers", FAILED, text, details, tries)
    if rms and rms[0] < VANISHED * rms[-1]:
        text = f"Vanishing: the gradient is {rms[0]:.2g} a weight in {trained[0].name}, {rms[-1]:.2g} in the last."
        return Outcome("layers", FAILED, text, details, tries)
    dead = [layer for layer in layers if (layer.dead or 0) > DEAD_SHARE]
    if dead:
        text = f"{100 * (dead[0].dead or 0):.0f} % of the units of {dead[0].name} are zero for every row."
        return Outcome("layers", LOOK, text, details, tries)
    spread = f"Outputs of sd {min(x.sd for x in inner):.2g} to {max(x.sd for x in inner):.2g}"
    units = [layer.dead for layer in layers if layer.dead is not None]
    idle = f", {100 * max(units):.0f} % dead units at most" if units else ""
    text = f"{spread}, gradients of rms {min(rms, default=0):.2g} to {max(rms, default=0):.2g}{idle}."
    return Outcome("layers", FINE, text, details)


def _constant_guess(truth: Target) -> float | tuple[float, float]:
    """Returns the constant prediction: the middle of a range, the mean, or equal probabilities."""
    if truth.kind.several_classes:
        return 1 / len(truth.classes)
    if truth.kind.unbounded:
        return (truth.offset, truth.scale) if truth.kind.deviation else truth.center
    return truth.offset + truth.scale / 2


def _different_rows(checked: CheckedNetwork) -> npt.NDArray[np.int64]:
    """Returns positions of a few rows that differ in their features, from as many classes as possible."""
    flat = np.column_stack([values.reshape(len(values), -1) for values in checked.numbers.values()])
    _, places = np.unique(flat, axis=0, return_index=True)
    places = np.sort(places)
    truth = checked.truth
    if truth.kind.one_class:
        numbers = truth.values[places].astype(int)
        turn = np.zeros(len(places), int)  # the position of each row among the rows of its class
        for each in np.unique(numbers):
            turn[numbers == each] = np.arange(np.sum(numbers == each))
        places = places[np.argsort(turn, kind="stable")]
    few: npt.NDArray[np.int64] = places[:OVERFIT_ROWS].astype(np.int64)
    return few
