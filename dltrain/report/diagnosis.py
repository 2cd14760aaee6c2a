"""Diagnoses a training by its curves, scores and layers, and suggests what to try next."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from dltrain.base.notes import counted
from dltrain.base.plain_table import digits
from dltrain.config.model_rules import FLATTERED
from dltrain.config.tasks import TASKS
from dltrain.engine.layer_limits import DEAD_SHARE, EXPLODED, VANISHED
from dltrain.report.evidence import Diagnosis, Evidence, Scores
from dltrain.report.remedies import faster, freer, healthier, larger, longer, new, slower, slower_by_schedule, stricter
from dltrain.scoring.comparison import Difference

GOOD, NOTICE, PROBLEM = "good", "notice", "problem"

GAP = 0.25  # least share of the validation error by which the train error is lower when it overfits
FLAT = 0.01  # most relative change of a loss that counts as flat
CONSTANT = {task.baselines[0] for task in TASKS.values()}  # the baselines that use no column
JUMPS = 0.35  # share of epochs in which the train loss rises


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Returns the findings, problems first."""
    found: list[Diagnosis] = []
    for look in (_baseline, _bias, _variance, _course, _rate, _gradients, _dead_units):
        found += look(evidence)
    if all(each.level == GOOD for each in found):
        text = "Neither the curves nor the scores nor the layers show a fault that these rules know."
        found.append(Diagnosis(GOOD, "Nothing stands out", text))
    found = [dataclasses.replace(each, tries=tuple(new(each.tries, evidence))) for each in found]
    return sorted(found, key=lambda each: (PROBLEM, NOTICE, GOOD).index(each.level))


def _baseline(seen: Evidence) -> list[Diagnosis]:
    if seen.difference is None:
        return []
    found = Difference.of(seen.difference)
    said = f"The network {found.sentence()}"
    if "behind" in found.standings or (found.value <= 0 and not found.beats):
        text = f"{said}. The network is not worth its cost yet."
        return [Diagnosis(PROBLEM, "The baseline is not beaten", text, larger(seen) or longer(seen))]
    if not found.beats:
        few = f"{found.repeats} {found.part}" if found.repeats else f"{seen.rows[found.part]:,} rows"
        text = f"{said}. {few} are too few to call the network better."
        return [Diagnosis(NOTICE, "The lead over the baseline is not certain", text)]
    return [Diagnosis(GOOD, "The baseline is beaten", f"{said}.")]


def _noise(seen: Evidence, error: float, rows: int) -> float:
    """Returns two standard errors of a share, or of the root mean square of normal residuals."""
    if not rows:
        return 0.0
    if seen.traits(seen.metric).direction == "max":
        return 2 * math.sqrt(max(error * (1 - error), 0.25 / rows) / rows)
    return 2 * error / math.sqrt(2 * rows)


def _error(seen: Evidence, scores: Scores, part: str) -> float:
    """Returns the distance of the main metric from its best value."""
    value = scores[part].get(seen.metric)
    return math.nan if value is None else abs((seen.traits(seen.metric).best or 0.0) - value)


def _bias(seen: Evidence) -> list[Diagnosis]:
    name = seen.metric
    train, validation = (_error(seen, seen.scores, part) for part in ("train", "validation"))
    constant = next((scores for each, scores in seen.baselines.items() if each in CONSTANT), None)
    linear = next((scores for each, scores in seen.baselines.items() if each not in CONSTANT), None)
    if not linear or not constant or name not in linear["train"]:
        return []
    theirs, floor = _error(seen, linear, "train"), _error(seen, constant, "train")
    overfit = validation - train > max(GAP * validation, _noise(seen, validation, seen.rows["validation"]))
    if not train >= 0.98 * theirs or overfit or train < 0.02 * floor:
        return []
    text = (
        f"On its own train rows the network reaches {name} {digits(seen.scores['train'][name])}, a linear model "
        f"{digits(linear['train'][name])}. High bias: it does not even fit what it sees. More capacity, longer "
        "training or less regularization comes first; more data would not help."
    )
    return [Diagnosis(PROBLEM, "Underfitting", text, (*larger(seen), *freer(seen), *longer(seen)))]


def _variance(seen: Evidence) -> list[Diagnosis]:
    name = seen.metric
    train, validation = (_error(seen, seen.scores, part) for part in ("train", "validation"))
    gap = validation - train
    if not seen.flattered and gap > max(GAP * validation, _noise(seen, validation, seen.rows["validation"])):
        text = (
            f"{name} is {digits(seen.scores['train'][name])} on the train rows and "
            f"{digits(seen.scores['validation'][name])} on validation, both with the kept weights in "
            f"inference: more than {seen.rows['validation']:,} rows explain "
            "by chance. High variance: it learned things that hold for the train rows only. More rows help, or "
            "regularization, or a smaller model."
        )
        return [Diagnosis(PROBLEM, "Overfitting", text, stricter(seen))]
    curve, losses = seen.curve("val_loss"), seen.curve("loss")
    if len(curve) > 4 and curve[-1] > 1.1 * min(curve) and losses[-1] < losses[int(np.argmin(curve))]:
        text = (
            f"After epoch {int(np.argmin(curve)) + 1} the validation loss rises while the train loss keeps falling. "
            f"The weights of epoch {seen.best_epoch} are kept, so that it does no harm; with regularization a later "
            "epoch may be better."
        )
        return [Diagnosis(NOTICE, "It would overfit if it went on", text, stricter(seen)[:1])]
    if seen.flattered:
        return [Diagnosis(GOOD, "The train rows do not tell of overfitting", FLATTERED)]
    return [Diagnosis(GOOD, "Train and validation agree", f"{name}: the gap is {abs(gap):.2g}, which chance explains.")]


def _course(seen: Evidence) -> list[Diagnosis]:
    limit = seen.settings.get("trainer.epochs")
    losses = seen.curve("loss")
    if len(losses) < 5:
        if limit == len(losses):
            text = f"The curves cannot be judged after {counted(len(losses), 'epoch')}."
            return [Diagnosis(NOTICE, "Very short", text, (("trainer.epochs=50",),))]
        return []
    if seen.best_epoch > 0.95 * len(losses) and len(losses) == limit:
        text = f"The best epoch is {seen.best_epoch} of {len(losses)}, the limit: it was still getting better."
        return [Diagnosis(NOTICE, "Stopped too early", text, longer(seen))]
    half = losses[len(losses) // 2 :]
    total = losses[0] - min(losses)
    flat = abs(half[0] - min(half)) <= FLAT * abs(half[0])
    if flat and total <= FLAT * abs(losses[0]):
        went = f"from {digits(losses[0], 4)} to {digits(min(losses), 4)} only"
        text = f"The train loss went {went}: the training did not move."
        return [Diagnosis(PROBLEM, "Plateau from the start", text, faster(seen))]
    if flat and len(losses) == limit and seen.best_epoch < 0.5 * len(losses):
        text = f"In the second half of {len(losses)} epochs the train loss fell by less than {100 * FLAT:g} %."
        return [Diagnosis(NOTICE, "Plateau", text, slower_by_schedule(seen))]
    return []


def _rate(seen: Evidence) -> list[Diagnosis]:
    losses = seen.curve("loss")
    rate = seen.settings.get("optimizer.learning_rate")
    if len(losses) < 8 or not isinstance(rate, (int, float)):
        return []
    steps = np.diff(losses)
    drop = max(losses) - min(losses)
    jumps = float(np.mean(steps > 0.05 * drop)) if drop > 0 else 0.0
    if losses[-1] > 1.05 * losses[0] or jumps > JUMPS:
        text = (
            f"The train loss rose in {int(np.sum(steps > 0)):,} of {len(steps):,} epochs"
            f"{' and ends above its start' if losses[-1] > losses[0] else ''}: steps at rate {rate:g} are too long."
        )
        return [Diagnosis(PROBLEM, "Learning rate too high", text, ((f"optimizer.learning_rate={rate / 10:g}",),))]
    tenth = max(2, len(losses) // 10)
    first, last = losses[0] - losses[tenth], losses[-tenth - 1] - losses[-1]
    unfinished = len(losses) == seen.settings.get("trainer.epochs")
    if first > 0 and last > 0.5 * first and unfinished and jumps < 0.1:
        text = f"The train loss falls in a nearly straight line to the end: at rate {rate:g} it hardly gets anywhere."
        return [Diagnosis(PROBLEM, "Learning rate too low", text, faster(seen))]
    return []


def _gradients(seen: Evidence) -> list[Diagnosis]:
    trained = [layer for layer in seen.layers if layer.get("gradient_rms") is not None and layer["weights"] > 1]
    kernels = [layer for layer in trained if layer["kind"] not in ("BatchNormalization", "LayerNormalization")]
    if not kernels:
        return []
    broken = [layer for layer in kernels if layer["gradient_rms"] > EXPLODED]
    if broken:
        text = f"{broken[0]['name']} has a gradient of {digits(broken[0]['gradient_rms'])} a weight (root mean square)."
        tries = (("optimizer.global_clipnorm=1",), *slower(seen))
        return [Diagnosis(PROBLEM, "Exploding gradients", text, tries)]
    first, last = kernels[0], kernels[-1]
    if len(kernels) > 1 and last["gradient_rms"] > 0 and first["gradient_rms"] < VANISHED * last["gradient_rms"]:
        text = (
            f"The gradient is {first['gradient_rms']:.2g} a weight in {first['name']} and {last['gradient_rms']:.2g} "
            f"in {last['name']}: the first layers hardly learn."
        )
        return [Diagnosis(PROBLEM, "Vanishing gradients", text, healthier(seen))]
    return []


def _dead_units(seen: Evidence) -> list[Diagnosis]:
    found = [layer for layer in seen.layers if (layer.get("dead") or 0) > DEAD_SHARE]
    if not found:
        return []
    named = ", ".join(f"{layer['name']} {100 * layer['dead']:.0f} %" for layer in found)
    text = f"Units that are zero for every row: {named}. They give no gradient and do not come back."
    active = (("model.activation=leaky_relu",),) if "model.activation" in seen.settings else ()
    return [Diagnosis(PROBLEM, "Dead units", text, (*active, *slower(seen)))]
