"""Fits the Keras layers that turn raw columns into features on the train rows."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from omegaconf import DictConfig

from dltrain.base.errors import DataError
from dltrain.data.dataset import Dataset
from dltrain.data.row_view import AT_ONCE, Columns
from dltrain.internals.many_inputs import flatten_once
from dltrain.preprocessing.categories import frequent_words, lookup_of
from dltrain.preprocessing.columns import Numbers, TableColumns
from dltrain.preprocessing.dates import date_parts
from dltrain.preprocessing.imputation import Imputation
from dltrain.preprocessing.scaling import Scaling
from dltrain.preprocessing.text import IDS, cached_ngram_ids, ngram_ids, ngram_ids_on_disk, vectorization

Features = dict[str, npt.NDArray[Any]]

ROWS_AT_ONCE = 65_536
NUMBERS_AT_ONCE = 2**20  # float64 values in one pass, since an image holds many
PIXELS_TO_LEARN_FROM = 2**24

flatten_once()


@dataclass(frozen=True)
class Preprocessing:
    """The fitted preprocessing, the first half of the model."""

    # Maps a dict of raw columns, (n, 1) or (n, height, width, channels) for an image, to a dict of the features that
    # the data has: `table` (n, d) float32, `categories` (n, k) int32 if they are embedded, `text` (n, length) int32,
    # `image` (n, height, width, channels) float32
    model: keras.Model
    feature_names: tuple[str, ...]  # the names of the d columns of `table`
    numbers: int  # how many columns at the start of `table` are numbers
    categories: Mapping[str, int]  # the number of different ids of each embedded column
    vocabulary_size: int  # the number of different ids in `text`
    known_words: Mapping[str, tuple[str, ...]]  # the words of each category column that have an id of their own
    notes: tuple[str, ...] = ()  # sentences for the log on what was learned

    @property
    def bytes_per_row(self) -> int:
        """The memory in bytes that the features of one row take."""
        return sum(math.prod(output.shape[1:]) * 4 for output in self.model.output.values())

    def transform(self, dataset: Dataset, *, texts: bool = True) -> Features:
        """Computes the features of all rows, without `text` if `texts` is false.

        Raises:
            DataError: If a number becomes infinite or NaN; the message names its row and column.
        """
        raw = dict(dataset.columns)
        features: Features = {}
        for name, model in self._parts.items():
            if name == "text" and not texts:
                continue
            own = {column: raw[column] for column in model.input}
            features[name] = cached_ngram_ids(model, own) if name == "text" else self._computed(model, own)
        self._refuse_non_finite(features, dataset)
        return features

    def number_texts(self, dataset: Dataset) -> npt.NDArray[np.int32] | None:
        """Returns the feature `text` of all rows in an array on disk; None if the data have no such feature.

        Raises:
            DataError: If the disk has no place for it.
        """
        if "text" not in self._parts:
            return None
        model = self._parts["text"]
        raw = {name: dataset.columns[name] for name in model.input}
        return ngram_ids_on_disk(model, raw)

    def pixel_range(self, dataset: Dataset) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Returns what the bytes 0 and 255 of an image become, for each channel; the dataset needs at least one row."""
        sample = dataset.take(np.array([0, 0]))
        name = next(column for column, kind in dataset.kinds.items() if kind == "image")
        pixels = np.zeros_like(sample.columns[name])
        pixels[1] = 255
        found = self.transform(replace(sample, columns={**sample.columns, name: pixels}))["image"]
        return found[0, 0, 0], found[1, 0, 0]

    def _computed(self, model: keras.Model, raw: Features) -> npt.NDArray[Any]:
        rows = min(ROWS_AT_ONCE, max(1, NUMBERS_AT_ONCE * 4 // self.bytes_per_row))
        count = len(next(iter(raw.values())))
        found = np.empty((count, *model.output.shape[1:]), model.output.dtype)  # joined at the end, it would be twice
        for first in range(0, count, rows):
            found[first : first + rows] = model(
                {name: _input(cells[first : first + rows]) for name, cells in raw.items()}
            )
        return found

    @cached_property
    def _parts(self) -> dict[str, keras.Model]:
        """A model for each feature that takes only the columns it is made from, so that each is computed by itself."""
        inputs, outputs = self.model.input, self.model.output
        if len(outputs) == 1:
            return {name: keras.Model(inputs, output) for name, output in outputs.items()}
        columns = {id(tensor): column for column, tensor in inputs.items()}
        parts = {}
        for name, output in outputs.items():
            sources = keras.tree.flatten(keras.utils.get_source_inputs(output))
            parts[name] = keras.Model({columns[id(source)]: source for source in sources}, output)
        return parts

    def _refuse_non_finite(self, features: Features, dataset: Dataset) -> None:
        # One NaN ruins every weight, and TensorFlow's CPU kernels can hide it behind a finite loss.
        for name in set(features) & {"table", "image"}:
            bad = np.argwhere(~np.isfinite(features[name]))
            if len(bad):
                row, column = bad[0][0], self.feature_names[bad[0][1]] if name == "table" else name
                raise DataError(
                    f"Column '{column}' is {features[name][tuple(bad[0])]} after preprocessing in row "
                    f"{dataset.row_ids[row]}: its values are too large for the scaling. "
                    "Clean the data or choose another scaling=."
                )


def _input(cells: Any) -> tf.Tensor:
    block = np.asarray(cells)
    return tf.constant(block if block.ndim > 1 else block[:, None])


def raw_inputs(dataset: Dataset) -> dict[str, npt.NDArray[Any]]:
    """Returns the columns in the shapes that `Preprocessing.model` takes: a column of n cells becomes (n, 1)."""
    columns = {name: np.asarray(cells) for name, cells in dataset.columns.items()}
    return {name: cells if cells.ndim > 1 else cells[:, None] for name, cells in columns.items()}


def raw_blocks(
    dataset: Dataset, rows: npt.NDArray[np.intp], at_once: int = ROWS_AT_ONCE
) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yields the `raw_inputs` of rows at these positions, some at a time, so that what lies in a file stays there."""
    for first in range(0, len(rows), at_once):
        yield raw_inputs(dataset.take(rows[first : first + at_once]))


def fit(
    train: Dataset,
    *,
    imputation: Callable[[Numbers], Imputation],
    scaling: Callable[[Numbers], Scaling],
    encoding: DictConfig,
    text: DictConfig,
) -> Preprocessing:
    """Learns every statistic and vocabulary from the train rows alone.

    `imputation` and `scaling` take the numeric columns (n, d), the latter without missing values; `encoding` and `text`
    are the config groups of these names.
    """
    dtypes = {name: {"numeric": "float64", "image": "uint8"}.get(kind, "string") for name, kind in train.kinds.items()}
    one = train.take(np.arange(min(1, len(train))))  # a whole column of images may be larger than the memory
    inputs = {
        name: keras.Input(cells.shape[1:] or (1,), name=name, dtype=dtypes[name]) for name, cells in one.columns.items()
    }
    by_kind = {
        kind: [name for name in inputs if train.kinds[name] == kind]
        for kind in ("numeric", "category", "text", "image", "date")
    }
    blocks: list[Any] = []
    names: list[str] = []
    outputs: dict[str, Any] = {}
    embedded: dict[str, int] = {}
    known: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    numbers, tensors = by_kind["numeric"], dict(inputs)
    of_dates: dict[str, Any] = {}
    alike: set[str] = set()  # parts of a date are missing together, and the first tells it
    for name in by_kind["date"]:
        parts, values = date_parts(name, train.columns[name], inputs[name], train.readings[name].dates)
        tensors, of_dates, alike = tensors | parts, of_dates | values, alike | {*list(parts)[1:]}
    if numbers := [*by_kind["numeric"], *of_dates]:
        cells = ChainMap(of_dates, train.columns) if of_dates else train.columns  # type: ignore[arg-type]
        block, names = _numbers(len(train), cells, numbers, alike, tensors, imputation, scaling)
        blocks += block
    for name in by_kind["category"]:
        kept, note = frequent_words(name, train.columns[name], encoding.minimum_count, train.category_values)
        notes += note
        lookup = lookup_of(kept)
        ids, words = lookup(inputs[name]), lookup.get_vocabulary()
        known[name] = tuple(words[2:])
        if encoding.name == "embedding" or len(kept) > (encoding.get("embedding_above") or math.inf):
            embedded[name] = len(words)
            outputs.setdefault("categories", []).append(ids)
        else:
            blocks.append(keras.layers.CategoryEncoding(num_tokens=len(words), output_mode="one_hot")(ids))
            names += [f"{name}={word}" for word in ["(missing)", "(unknown)", *words[2:]]]
    if embedded:
        outputs["categories"] = _joined(outputs["categories"], "int32")
    vocabulary_size = 0
    if by_kind["text"]:
        vectorize = vectorization([train.columns[name] for name in by_kind["text"]], text)
        if text.output in IDS:
            vocabulary_size = vectorize.vocabulary_size()
            outputs["text"] = _joined([ngram_ids(vectorize, text, inputs[name]) for name in by_kind["text"]], "int32")
        else:
            # Keras infers another static shape than the layer returns.
            width = vectorize.vocabulary_size()
            blocks += [keras.ops.reshape(vectorize(inputs[name]), (-1, width)) for name in by_kind["text"]]
            names += [f"{name}: {word}" for name in by_kind["text"] for word in vectorize.get_vocabulary()]
    if blocks:
        outputs["table"] = _joined(blocks, "float32")
    if by_kind["image"]:
        if len(by_kind["image"]) > 1:
            raise DataError(
                f"Expected one column of images, found {len(by_kind['image'])}: {', '.join(by_kind['image'])}."
            )
        name = by_kind["image"][0]
        pixels = keras.ops.cast(inputs[name], "float64")
        outputs["image"] = keras.ops.cast(scaling(_pixels(train, name))(pixels), "float32")
    model = keras.Model(inputs, outputs, name="preprocessing")
    return Preprocessing(model, tuple(names), len(numbers), embedded, vocabulary_size, known, tuple(notes))


def _pixels(train: Dataset, name: str) -> npt.NDArray[np.float64]:
    """Returns the images that the scaling is fitted on: all train images, or evenly spaced ones to limit memory."""
    size = len(train) * math.prod(train.take(np.arange(min(1, len(train)))).columns[name].shape[1:])
    some = np.arange(0, len(train), max(1, math.ceil(size / PIXELS_TO_LEARN_FROM)))
    return train.take(some).columns[name].astype(np.float64)


def _joined(tensors: list[Any], dtype: str) -> Any:
    # Even a cast without effect adds a node to the graph, and Keras looks through all columns for each node.
    tensors = [tensor if tensor.dtype == dtype else keras.ops.cast(tensor, dtype) for tensor in tensors]
    return keras.ops.concatenate(tensors, axis=-1) if len(tensors) > 1 else tensors[0]


def _numbers(
    rows: int,
    cells: Columns,
    columns: list[str],
    alike: Collection[str],
    inputs: Mapping[str, Any],
    imputation: Callable[[Numbers], Imputation],
    scaling: Callable[[Numbers], Scaling],
) -> tuple[list[Any], list[str]]:
    # float64 up to here: a date in seconds or an income in cents exceeds float32's seven digits.
    with np.errstate(over="ignore", invalid="ignore"):  # `transform` reports overflow by row and column
        learned = imputation(_within_memory(TableColumns(rows, cells, columns)))
        scaled = scaling(_within_memory(TableColumns(rows, cells, columns, learned.fill)))
    raw = _joined([inputs[name] for name in columns], "float64")
    missing = keras.ops.isnan(raw)
    blocks = [scaled(keras.ops.where(missing, learned.fill, raw))]
    names = list(columns)
    if indicated := [int(position) for position in learned.indicated if columns[position] not in alike]:
        blocks.append(keras.ops.take(missing, np.array(indicated), axis=-1))
        names += [f"{columns[position]} (missing)" for position in indicated]
    return blocks, names


def _within_memory(values: TableColumns) -> Numbers:
    """Returns an array, or an object that yields the columns if the array would be large."""
    return np.asarray(values) if math.prod(values.shape) * 8 <= AT_ONCE else values
