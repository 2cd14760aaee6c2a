"""Describes where and how far a training has diverged, and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dltrain.base.errors import RunError
from dltrain.engine.distribution import local
from dltrain.preprocessing.rows import Block, Source, gather


def diverged(engine: Any, source: Source, epoch: int, loss: float, before: Sequence[Any]) -> RunError:
    """Returns the error of an epoch with a loss or weights that are not finite, and restores the weights.

    `epoch` counts from 0, and `before` holds the network's weights from before the epoch.
    """
    model = engine.model
    broken = [weight.path for weight in model.weights if not np.isfinite(np.asarray(weight)).all()]
    for weight, value in zip(model.weights, before, strict=True):
        weight.assign(value)
    first = engine.order(epoch, source.rows)[: engine.batch_size]
    norm = _gradient_norm(model, next(iter(source.blocks(first, engine.batch_size))))
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


def _gradient_norm(model: keras.Model, block: Block) -> float:
    """Returns the norm of all gradients on the rows of a block, in inference mode."""
    features = gather(block.features, block.order)
    targets = tf.gather(block.targets, block.order)
    weights = None if block.weights is None else tf.gather(block.weights, block.order)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(features, targets, model(features, training=False), weights, training=False)
    gradients = tape.gradient(loss, [local(weight) for weight in model.trainable_weights])
    return float(tf.linalg.global_norm([gradient for gradient in gradients if gradient is not None]))
