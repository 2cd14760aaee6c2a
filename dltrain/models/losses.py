"""Defines losses and metrics that Keras lacks."""

from __future__ import annotations

from typing import Any

import keras

from dltrain.data.target_scaling import Knots, segments_of


@keras.saving.register_keras_serializable("dltrain")
class SparseCategoricalCrossentropy(keras.losses.Loss):
    """Cross-entropy on integer labels (n,) with label smoothing, which Keras has for one-hot labels only.

    `label_smoothing` is the share, 0 to below 1, of the probability spread over all classes (Szegedy et al. 2016).
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "sparse_categorical_crossentropy", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns a loss for each row, shape (n,)."""
        if not self.label_smoothing:
            return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)
        classes = y_pred.shape[-1]
        one_hot = keras.ops.one_hot(keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1,)), classes)
        return keras.losses.categorical_crossentropy(one_hot, y_pred, label_smoothing=self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the loss."""
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("dltrain")
class InUnits(keras.losses.Loss):
    """A loss on the scaled target, which keeps gradients small for a model that predicts in the target's unit.

    It is scaled by (y - offset) / scale, or by `knots` if there are any.
    """

    def __init__(
        self,
        loss: keras.losses.Loss,
        offset: float,
        scale: float,
        knots: Knots = (),
        name: str = "in_units",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.loss, self.offset, self.scale, self.knots = loss, offset, scale, knots

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns a loss for each row, shape (n,)."""
        return self.loss.call(self._scaled(y_true), self._scaled(y_pred))

    def _scaled(self, values: Any) -> Any:
        if not self.knots:
            return (values - self.offset) / self.scale
        *segments, first = segments_of(self.knots)
        starts, widths, rises = (keras.ops.convert_to_tensor(each, values.dtype) for each in segments)
        shares = (keras.ops.expand_dims(values, -1) - starts) / widths
        inside = keras.ops.sum(rises * keras.ops.clip(shares, 0.0, 1.0), axis=-1)
        below, above = keras.ops.minimum(shares[..., 0], 0.0), keras.ops.maximum(shares[..., -1] - 1.0, 0.0)
        return first + inside + rises[0] * below + rises[-1] * above

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the loss."""
        loss = keras.saving.serialize_keras_object(self.loss)
        return {
            **super().get_config(),
            "loss": loss,
            "offset": self.offset,
            "scale": self.scale,
            "knots": [list(pair) for pair in self.knots],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InUnits:
        """Rebuilds the loss from `get_config`."""
        knots = tuple((value, scaled) for value, scaled in config.pop("knots", ()))
        return cls(keras.saving.deserialize_keras_object(config.pop("loss")), knots=knots, **config)


@keras.saving.register_keras_serializable("dltrain")
class SideAccuracy(keras.metrics.MeanMetricWrapper):
    """The share of rows whose prediction is on the same side of a threshold as the target.

    `threshold` is in the target's unit; None means 0.5.
    """

    direction = "max"
    best = 1.0
    share_of_rows = whole_sums = splits_range = True

    def __init__(self, threshold: float | None = None, name: str = "accuracy", dtype: Any = None):
        super().__init__(self._same_side, name=name, dtype=dtype)
        self.threshold = 0.5 if threshold is None else threshold

    def _same_side(self, y_true: Any, y_pred: Any) -> Any:
        same = keras.ops.equal(y_true > self.threshold, y_pred > self.threshold)
        return keras.ops.mean(keras.ops.cast(same, self.dtype), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the metric."""
        return {"name": self.name, "dtype": self.dtype, "threshold": self.threshold}
