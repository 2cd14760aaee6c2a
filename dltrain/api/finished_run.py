"""Loads the model of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.record.record import Record

if TYPE_CHECKING:
    from dltrain.inference.model import Model


def load(path: str | Path) -> Model:
    """Loads the model of a finished run from its directory: `load(RUN).predict(frame)`.

    A run that is not completed is refused before TensorFlow is loaded.
    """
    from dltrain.record.signature import Signature

    Signature.of(Record(path))
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.inference.model import Model

    return Model(path)
