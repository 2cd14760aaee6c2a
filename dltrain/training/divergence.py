"""What to say when a training has diverged: where, how far, and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from dltrain.errors import RunError
from dltrain.training.source import Source


def diverged(engine: Any, source: Source, epoch: int, loss: float, before: Sequence[Any]) -> RunError:
    """The error of an epoch that left a loss or weights that are not finite; the network gets its weights back.

    Args:
        engine: whose training it is.
        source: the rows that it trained on.
        epoch: counted from 0.
        loss: of the epoch.
        before: the network's weights as they were at the begin of the epoch.
    """
    model = engine.model
    broken = [weight.path for weight in model.weights if not np.isfinite(np.asarray(weight)).all()]
    for weight, value in zip(model.weights, before, strict=True):
        weight.assign(value)
    block = next(iter(source.blocks(engine.order(epoch, source.rows)[: engine.batch_size], engine.batch_size)))
    norm = engine.graphs.gradient_norm(block)
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    found = f"{len(broken)} weights that are not finite, {broken[0]} first" if broken else "all weights still finite"
    if np.isfinite(norm) or epoch:
        advice = f"Try optimizer.learning_rate={rate / 10:g}, optimizer.global_clipnorm=1 or another scaling=."
    else:
        advice = "Even the first batch gives no finite gradient, so look at the data, the loss or a layer of your own."
    return RunError(
        f"The training diverged in epoch {epoch + 1}: loss {loss:g}, learning rate {rate:g}, {found}; "
        f"gradient norm {norm:.3g} when the epoch began. {advice}"
    )
