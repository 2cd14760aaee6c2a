"""Loads the model of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.record.record import Record
from dltrain.record.trust import require_trusted

if TYPE_CHECKING:
    from dltrain.inference.model import Model


def load(path: str | Path, *, trust: bool = False) -> Model:
    """Loads the model of a finished run from its directory: `load(RUN).predict(frame)`.

    A run that is not completed is refused before TensorFlow is loaded. One that names code beside dltrain's and Keras'
    is refused if it was not trained here by you, unless `trust` is true.

    >>> model = dltrain.load("outputs/wine")
    >>> model.predict({column.source: column.median for column in model.signature.columns}).shape
    (1, 4)
    """
    return load_for("", path, trust=trust)


def load_for(verb: str, path: str | Path, *, trust: bool) -> Model:
    """Loads a model as `load` does; a refusal names the command of a verb."""
    from dltrain.record.signature import Signature

    record = Record(path)
    Signature.of(record)
    require_trusted(record, trust=trust, verb=verb)
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.inference.model import Model

    return Model(path)
