"""Loads the model of a finished run to predict and evaluate."""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from dltrain.base.errors import ConfigError, RunError
from dltrain.data.answers import name_answers
from dltrain.data.conformal import Conformal
from dltrain.data.missing_cells import Missing
from dltrain.data.reading import Reading
from dltrain.inference.evaluate import Evaluation, evaluate_rows
from dltrain.inference.read_rows import read_rows
from dltrain.inference.row_inputs import RowInputs, largest, plain_name
from dltrain.inference.rows import RawRows, frame_rows, sliced
from dltrain.internals.many_inputs import flatten_once
from dltrain.record.record import Record
from dltrain.record.signature import Signature

# Rows of images, texts or tables, and numbers of the widest column, that are predicted at a time.
ROWS_AT_ONCE = {"image": 256, "text": 1_024, "table": 16_384}
BYTES_AT_ONCE = 1 << 20  # of a text with separators
NUMBERS_AT_ONCE = 2**20  # limits rows of large images

NOT_LOCATED = re.compile(r"Could not locate (?:class|function) '(\w+)'.*?'module': '([\w.]+)'", re.DOTALL)

flatten_once()


class Model:
    """A run's model: its record, the signature of its columns and classes, and the network from raw columns to outputs.

    Raises:
        ConfigError: If there is not a completed run, or its model cannot be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.record = Record(path)
        self.signature = Signature.of(self.record)
        file = self.record.path / "model.keras"
        self.network = _load(file)
        # `Model.predict` casts arrays to 32 bits before the model sees them; a graph takes them as they are.
        taken = {name: tf.TensorSpec((None, *each.shape[1:]), each.dtype) for name, each in self.network.input.items()}
        self._graph = tf.function(
            lambda inputs: self.network(inputs, training=False), input_signature=[taken], autograph=False
        )

    @property
    def kind(self) -> str:
        """The kind of rows: image or text for a model of one such column, else table."""
        kinds = [column.kind for column in self.signature.columns]
        return kinds[0] if len(kinds) == 1 and kinds[0] in ("image", "text") else "table"

    @property
    def rows_at_once(self) -> int:
        """How many rows are predicted at a time."""
        kinds = {column.kind for column in self.signature.columns}
        widest = max(math.prod(column.shape) for column in self.signature.columns)
        rows = min(ROWS_AT_ONCE.get(kind, ROWS_AT_ONCE["table"]) for kind in kinds)
        return min(rows, max(1, NUMBERS_AT_ONCE // widest))

    def read(self, path: str, file_format: str | None, *, with_target: bool = False) -> Iterator[RawRows]:
        """Reads rows as the run's data was read; `path` and `file_format` are those of `read_rows`.

        `with_target` gives texts and images in folders of classes the target of the run as a column.
        """
        column, target = self.signature.columns[0].name, self.signature.target[0] if with_target else None
        reading = reading_of(self.signature)
        return read_rows(
            path, file_format=file_format, reading=reading, only_column=column, kind=self.kind, target=target
        )

    @functools.cached_property
    def missing(self) -> Missing:
        """What stands for a missing cell, as in training."""
        return missing_of(self.signature)

    def answer(self, inputs: dict[str, Any]) -> npt.NDArray[np.float32]:
        """Returns the model's outputs, (rows, units), for a tensor of rows for each column.

        Raises:
            RunError: If an output is not finite.
        """
        answers = np.asarray(self._graph(inputs))
        if not math.isfinite(float(np.sum(answers))) and not np.isfinite(answers).all():
            row = int(np.flatnonzero(~np.isfinite(answers).all(axis=1))[0])
            raise RunError(
                f"The model's answer to row {row} of a block is not finite: its values are too large"
                f"{self._furthest(inputs, row)}."
            )
        return answers

    def _furthest(self, inputs: dict[str, Any], row: int) -> str:
        """Names the number of a row that lies furthest beyond those of the train rows."""
        found = [
            (abs(value) / largest(column), f" ('{column.source}' is {value:g})")
            for column in self.signature.columns
            if column.kind == "numeric" and math.isfinite(value := float(inputs[column.name][row, 0]))
        ]
        return max(found, default=(0.0, ""))[1]

    def answered(
        self, blocks: Iterable[RawRows], row_inputs: RowInputs
    ) -> Iterator[tuple[RawRows, npt.NDArray[np.float32]]]:
        """Yields each block, cut to what the model predicts at a time, with its outputs; NaN without an image."""
        for whole in blocks:
            for block in sliced(whole, self.rows_at_once):
                answers = self.answer(row_inputs.inputs(block))
                if row_inputs.unreadable.any():
                    answers = np.where(row_inputs.unreadable[:, None], np.float32(np.nan), answers)
                yield block, answers

    def predict(self, rows: pd.DataFrame | Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Predicts rows of raw columns; the target may be missing, and columns that the run's data lacks are ignored.

        `rows` is a data frame, one row as a mapping, or several of these. Returns a frame with the same index:
        `prediction`, and the probability of each class or label. A warning tells of columns that are ignored, words
        that the model does not know, numbers beyond those of the train rows, and images that cannot be read, whose rows
        have no prediction.

        Raises:
            DataError: If a column is missing, or a cell does not fit its kind.
        """
        if not isinstance(rows, pd.DataFrame):
            rows = pd.DataFrame([rows] if isinstance(rows, Mapping) else list(rows), dtype=object)
        frame = rows
        row_inputs = RowInputs(self.signature)
        answers = [found for _, found in self.answered([frame_rows(frame, self.missing)], row_inputs)]
        row_inputs.unusual.warn()
        units = self.network.output.shape[-1]
        joined = np.concatenate(answers) if answers else np.empty((0, units), np.float32)
        return pd.DataFrame(self.name(joined), index=frame.index)

    def name(self, answers: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
        """Returns predictions and probabilities as columns, from outputs of shape (rows, units).

        A row whose outputs are NaN has none: None is its class or label, NaN its probability or quantity.
        """
        conformal = Conformal.of_json(self.signature.conformal)
        named = name_answers(
            self.signature.kind,
            self.signature.classes,
            answers,
            self.signature.threshold,
            conformal,
            self.signature.quantiles,
        )
        absent = np.isnan(answers[:, 0])
        if absent.any():
            for name, cells in named.items():
                if not np.issubdtype(cells.dtype, np.floating):
                    named[name] = np.array([None if lacks else cell for cell, lacks in zip(cells, absent, strict=True)])
        return named

    def evaluate(self, frame: pd.DataFrame, by: str | None = None) -> Evaluation:
        """Computes metrics with 95 % intervals on rows with their target, also for each group of the column `by`.

        Raises:
            DataError: If the target or `by` is missing, or a cell does not fit its kind.
        """
        return evaluate_rows(self, [frame_rows(frame, self.missing)], by)


def _load(file: Path) -> Any:
    """Loads a model.keras that may be built; Keras does not import the modules of a person's own layers by itself.

    Raises:
        ConfigError: If it cannot be read, or needs a class that is not found.
    """
    tried: set[str] = set()
    while True:
        try:
            return keras.models.load_model(file, compile=False, safe_mode=True)
        except (OSError, ValueError, TypeError, KeyError) as error:
            innermost: BaseException = error
            while innermost.__context__ is not None:
                innermost = innermost.__context__
            found = NOT_LOCATED.match(str(innermost))
            if found is None:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise ConfigError(f"'{file}' cannot be loaded: {reason}") from error
            name, module = found.groups()
            try:
                importlib.import_module(module)
                why = f"does not register it: write @keras.saving.register_keras_serializable('{module}') above it"
            except Exception as refusal:
                why = f"cannot be imported ({refusal}): start dltrain in the folder of the module"
            if module in tried or "imported" in why:
                raise ConfigError(
                    f"'{file}' cannot be loaded: it needs '{name}' of '{module}', which {why}."
                ) from error
            tried.add(module)


def missing_of(signature: Signature) -> Missing:
    """Returns what stands for a missing cell, as in training."""
    # A class may have the name of a missing cell, such as None.
    classes = () if signature.kind.quantity else signature.target_readings
    return Missing.of(signature.reading.get("missing_values", ()), classes)


def reading_of(signature: Signature) -> Reading:
    """Returns how the training file was read; only plain numbers that the model takes are read as such."""
    given = signature.reading
    numeric = {
        plain_name(name) for name, column in signature.by_source.items() if column.kind == "numeric" and column.plain
    }
    return Reading(
        given.get("separator"),
        given.get("encoding"),
        bool(given.get("header", True)),
        missing_of(signature),
        words=lambda name: plain_name(name) not in numeric,
        quoting=given.get("quoting"),
        bytes_at_once=BYTES_AT_ONCE,
        likely_separator=signature.separator,
    )
