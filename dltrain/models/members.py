"""Several members in one network: each is trained by a loss of its own, and their mean is the answer.

A member's loss is that of the mean plus a part that the target has no share in (the ambiguity decomposition of Krogh &
Vedelsby 1995, and for likelihoods of Heskes 1998), so that Keras' own loss of the mean and one added loss are all that
such a training needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from dltrain.models.gaussian import log_partition


@keras.saving.register_keras_serializable("dltrain")
class MemberLoss(keras.layers.Layer):
    """Adds, in training, what the mean of the members' losses is above the loss of their mean.

    Args:
        kind: `quantity` for the squared error, `labels` for the cross-entropy of each score's sigmoid, `classes` for
            that of the softmax over the scores, `gaussian` for minus the log-likelihood of natural parameters.
    """

    def __init__(self, kind: str, **kwargs: Any) -> None:
        super().__init__(**({"dtype": keras.config.floatx()} | kwargs))  # as the loss that it joins
        self.kind = kind

    def call(self, scores: Any, training: bool = False) -> Any:
        """The scores as they are, shape (batch, members, outputs)."""
        if training:
            self.add_loss(keras.ops.mean(self._gap(scores)))
        return scores

    def _gap(self, scores: Any) -> Any:
        mean = keras.ops.mean(scores, axis=1)
        if self.kind == "quantity":
            return keras.ops.mean(keras.ops.square(scores - mean[:, None]), axis=1)
        partition: Callable[[Any], Any] = keras.ops.softplus
        if self.kind == "classes":
            partition = _log_of_summed_exponentials
        elif self.kind == "gaussian":
            partition = log_partition
        return keras.ops.mean(partition(scores), axis=1) - partition(mean)

    def at_prediction(self, scores: Any) -> Any:
        """What stands in for the layer in a model that is trained no more."""
        return scores

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        return {**super().get_config(), "kind": self.kind}


@keras.saving.register_keras_serializable("dltrain")
class Clamp(keras.layers.Layer):
    """Keeps answers within bounds, but not in training, where no gradient would pass them.

    Args:
        low: least answer.
        high: greatest answer.
    """

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        super().__init__(**({"dtype": keras.config.floatx()} | kwargs))
        self.low, self.high = low, high

    def call(self, answers: Any, training: bool = False) -> Any:
        """Answers of any shape."""
        return answers if training else self.at_prediction(answers)

    def at_prediction(self, answers: Any) -> Any:
        """What stands in for the layer in a model that is trained no more."""
        return keras.ops.clip(answers, self.low, self.high)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make the same layer again."""
        return {**super().get_config(), "low": self.low, "high": self.high}


def for_prediction(network: keras.Model) -> keras.Model:
    """The same layers and weights without what only training has a use for, so that Keras alone can load them."""

    def called(layer: Any, *tensors: Any, **keywords: Any) -> Any:
        at_prediction = getattr(layer, "at_prediction", None)
        return at_prediction(*tensors) if at_prediction else layer(*tensors, **keywords)

    if not any(hasattr(layer, "at_prediction") for layer in network.layers):
        return network
    return keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=called)


def _log_of_summed_exponentials(scores: Any) -> Any:
    return keras.ops.logsumexp(scores, axis=-1)
