"""An optimizer's update in one pass over each large weight, compiled by XLA.

The dozen operations of Adam each read and write the whole table of an embedding, which on texts takes longer than the
rest of the step. XLA does them number by number. It may round the last bit otherwise.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import keras
import tensorflow as tf

from dltrain.engine.flat_update import MOST_WEIGHTS
from dltrain.engine.update import Update, is_elementwise

logger = logging.getLogger("dltrain")


class FusedUpdate(Update):
    """Compiles the optimizer's own operations together."""

    def _apply(self, gradients_and_variables: Any) -> None:
        gradients, variables = zip(*gradients_and_variables, strict=True)

        def update(*gradients: Any) -> None:
            self._optimizer.apply(list(gradients), list(variables))

        # The rows of an embedding that a batch has stay rows: Keras squares them before it adds those of one word.
        tf.function(update, autograph=False, jit_compile=True)(*gradients)


def fused_update(model: keras.Model) -> FusedUpdate | None:
    """The update for this model, or None where no weight is large, or the numbers would be others than the optimizer's.

    A GPU has kernels of its own for what XLA does on a CPU.
    """
    largest = max((math.prod(weight.shape) for weight in model.trainable_variables), default=0)
    if largest <= MOST_WEIGHTS or not is_elementwise(model) or tf.config.list_physical_devices("GPU"):
        return None
    logger.debug("XLA compiles the optimizer's update: the largest weight has %d numbers", largest)
    return FusedUpdate(model)
