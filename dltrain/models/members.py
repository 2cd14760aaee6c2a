"""Trains several members in one network, each with its own loss, and predicts their mean.

A member's loss is that of the mean plus a term without the target (the ambiguity decomposition of Krogh & Vedelsby
1995, and for likelihoods of Heskes 1998), so that Keras' own loss of the mean and one added loss suffice.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras

from dltrain.models.gaussian import log_partition


@keras.saving.register_keras_serializable("dltrain")
class MemberLoss(keras.layers.Layer):
    """Adds, in training, the mean of the members' losses minus the loss of their mean.

    `kind` is `quantity` for the squared error, `labels` for the cross-entropy of each score's sigmoid, `classes` for
    that of the softmax over the scores, or `gaussian` for minus the log-likelihood of natural parameters.

    Attributes:
        row_weights: How much each row of the next batch counts, shape (batch,), or None if all count alike. Keras gives
            the weights to the losses that know the target alone, so `dltrain.engine.step.train_step` sets them.
    """

    row_weights: Any = None

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**({"dtype": keras.config.floatx()} | kwargs))  # the dtype of the loss it is added to
        self.kind = kind

    def call(self, scores: Any, training: bool = False) -> Any:
        """Returns the scores, shape (batch, members, outputs), unchanged."""
        if training:
            gap = self._gap(scores)
            if self.row_weights is not None:
                gap = gap * keras.ops.reshape(
                    keras.ops.cast(self.row_weights, gap.dtype), (-1, *[1] * (len(gap.shape) - 1))
                )
            self.add_loss(keras.ops.mean(gap))
        return scores

    def _gap(self, scores: Any) -> Any:
        mean = keras.ops.mean(scores, axis=1)
        if self.kind == "quantity":
            return keras.ops.mean(keras.ops.square(scores - mean[:, None]), axis=1)
        partition: Callable[[Any], Any] = keras.ops.softplus
        if self.kind == "classes":
            partition = functools.partial(keras.ops.logsumexp, axis=-1)
        elif self.kind == "gaussian":
            partition = log_partition
        return keras.ops.mean(partition(scores), axis=1) - partition(mean)

    def at_prediction(self, scores: Any) -> Any:
        """Replaces the layer in a model that is no longer trained."""
        return scores

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("dltrain")
class Clamp(keras.layers.Layer):
    """Keeps predictions between `low` and `high`, but not in training, where clipping would stop the gradient."""

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(**({"dtype": keras.config.floatx()} | kwargs))
        self.low, self.high = low, high

    def call(self, answers: Any, training: bool = False) -> Any:
        """Takes predictions of any shape."""
        return answers if training else self.at_prediction(answers)

    def at_prediction(self, answers: Any) -> Any:
        """Replaces the layer in a model that is no longer trained."""
        return keras.ops.clip(answers, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {**super().get_config(), "low": self.low, "high": self.high}


def for_prediction(network: keras.Model) -> keras.Model:
    """Returns the same layers and weights without those that only train, so that Keras alone can load them."""

    def called(layer: Any, *tensors: Any, **keywords: Any) -> Any:
        at_prediction = getattr(layer, "at_prediction", None)
        return at_prediction(*tensors) if at_prediction else layer(*tensors, **keywords)

    if not any(hasattr(layer, "at_prediction") for layer in network.layers):
        return network
    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=called)
