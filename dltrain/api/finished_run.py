"""Loads the model of a finished run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dltrain.record.record import Record

if TYPE_CHECKING:
    from dltrain.inference.model import Model


def load_model(run: str) -> Model:
    """Loads the model of a run; a run that is not completed is refused before TensorFlow is loaded."""
    from dltrain.record.signature import Signature

    Signature.of(Record(run))
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.inference.model import Model

    return Model(run)
