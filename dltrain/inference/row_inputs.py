"""Converts blocks of raw cells to the model's inputs, checks each cell, and counts what was unusual."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Set as AbstractSet
from typing import Any
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf

from dltrain.base.errors import DataError, closest
from dltrain.data import cells as arrow_cells
from dltrain.data import dates
from dltrain.data.column_reading import WHOLE_NUMBER, ColumnReading
from dltrain.data.image_file import decode_image, image_content
from dltrain.data.pattern_words import match
from dltrain.inference.rows import RawRows
from dltrain.inference.unusual import Unusual
from dltrain.record.signature import Column, Signature

NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class RowInputs:
    """Converts blocks of rows to the inputs of a model with this signature.

    An image that cannot be read is black in the inputs and marked in `unreadable`, as training leaves it out and goes
    on; with `refuse`, or if the run was trained with dataset.corrupt=refuse, it raises an error.
    """

    def __init__(self, signature: Signature, *, refuse: bool = False) -> None:
        self.signature = signature
        self.rows = 0
        self.unusual = Unusual(signature)
        self.unreadable = np.zeros(0, bool)  # marks the rows of the last block whose image could not be read
        self._refuse = refuse or signature.reading.get("corrupt") == "refuse"
        self._found: dict[str, str] = {}

    def inputs(self, block: RawRows) -> dict[str, Any]:
        """Returns a tensor of n rows for each column of the model.

        Raises:
            DataError: If a column is missing, or a cell does not fit its kind; the message names row and column.
        """
        if not self._found:
            self._found = self._match(block)
        self.unreadable = np.zeros(len(block), bool)
        self.unusual.left_out |= dict.fromkeys(block.notes)
        self._refuse_nested(block)
        made = self._make(block)
        tensors = {}
        for column in self.signature.columns:
            cells = made[column.name] if column.name in made else block.columns[self._found[column.source]]
            tensors[column.name] = self._tensor(column, cells, block)
        self.rows += len(block)
        return tensors

    def notes(self) -> list[str]:
        """Returns sentences on what was left out, ignored, unknown or outside the range of the train rows."""
        return self.unusual.notes()

    def _match(self, block: RawRows) -> dict[str, str]:
        """Finds the column of the block for each needed one; case is ignored if that is unambiguous."""
        lower: dict[str, list[str]] = {}
        for name in block.columns:
            lower.setdefault(plain_name(name), []).append(name)
        found = {}
        for name in (*self.signature.needed, *self.signature.made):
            same = lower.get(plain_name(name), [])
            if name in block.columns:
                found[name] = name
            elif len(same) == 1:
                found[name] = same[0]
        model_names = {column.source: column.name for column in self.signature.columns}
        for source, name in model_names.items():
            if source not in found and name in block.columns:
                found[source] = name
        made = set(self.signature.made)
        if not made <= set(found):
            found = {source: name for source, name in found.items() if source not in made}
            wanted = self.signature.needed
        else:
            wanted = tuple(column.source for column in self.signature.columns)
        absent = [name for name in wanted if name not in found]
        if absent:
            others = [name for name in block.columns if name not in found.values()]
            near = closest(absent[0], others)
            hint = f" Did you mean '{near}'?" if near else ""
            columns = "column" if len(absent) == 1 else "columns"
            named = ", ".join(f"'{name}'" for name in absent)
            raise DataError(f"{block.origin} has no {columns} {named}, which the model takes.{hint}")
        # The composed and the decomposed Unicode spelling of a name are one.
        pairs = {name: (normalize("NFC", name), normalize("NFC", found[name])) for name in wanted if name in found}
        self.unusual.other_names = {
            name: found[name] for name, (one, other) in pairs.items() if one != other and one.lower() == other.lower()
        }
        self.unusual.ignored = tuple(name for name in block.columns if name not in found.values())
        return found

    def _refuse_nested(self, block: RawRows) -> None:
        images = {column.source for column in self.signature.columns if column.kind == "image"}
        for source, name in self._found.items():
            cells = block.columns[name]
            if source not in images and isinstance(cells, pa.Array) and pa.types.is_nested(cells.type):
                row = int(np.flatnonzero(cells.is_valid().to_numpy(zero_copy_only=False))[0])
                raise DataError(f"{block.where(row)}, column '{name}': expected one value, got a list or an object.")

    def _make(self, block: RawRows) -> dict[str, Any]:
        """Makes the columns that the dataset makes from others, unless the rows have them already."""
        if all(name in self._found for name in self.signature.made):
            return {}
        made = {}
        for name, recipe in self.signature.made.items():
            cells = [block.columns[self._found[source]] for source in recipe.columns]
            if recipe.pattern is None:
                pairs = zip(cells, recipe.columns, strict=True)
                lists = [numbers(each, source, block).tolist() for each, source in pairs]
            else:
                lists = [arrow_cells.words(each).to_pylist() for each in cells]
            made[name] = arrow_cells.to_arrow(recipe.make(lists, match)).combine_chunks()
        return made

    def _tensor(self, column: Column, cells: Any, block: RawRows) -> Any:
        if column.kind == "image":
            if isinstance(cells, pa.Array):
                cells = cells.to_pylist()
            return tf.constant(np.stack([self._image(cell, column, block, row) for row, cell in enumerate(cells)]))
        if column.kind == "numeric":
            values = numbers(cells, column.source, block, column.reading)
            if len(large := np.flatnonzero(np.abs(values) > largest(column))):
                raise DataError(
                    f"{block.where(large[0])}, column '{column.source}': {values[large[0]]:g} is too large; expected "
                    f"at most {largest(column):.2g}."
                )
            if column.minimum is not None and column.maximum is not None:
                self.unusual.count_beyond(column, int(np.sum((values < column.minimum) | (values > column.maximum))))
            return tf.constant(values[:, None])
        if column.kind == "date":
            return _dates(column, cells, block)
        if column.kind == "text":
            text = column.reading.words(cells) if column.reading else arrow_cells.words(cells)
            return tf.constant(text.fill_null("").to_numpy(zero_copy_only=False)[:, None], tf.string)
        return self._category(column, cells)

    def _image(self, cell: Any, column: Column, block: RawRows, row: int) -> npt.NDArray[np.uint8]:
        """Returns an image of the model's shape from pixels, or from a file's bytes or path, decoded and resized."""
        height, width, channels = column.shape
        where = block.where(row)
        if not isinstance(cell, (bytes, str)) and cell is not None:
            pixels = np.asarray(cell)
            if pixels.shape != column.shape:
                shape = " x ".join(map(str, pixels.shape))
                raise DataError(f"{where}: expected an image of {height} x {width} x {channels}, got {shape}.")
            return pixels.astype(np.uint8)
        content = cell if isinstance(cell, bytes) else image_content(block.folder, cell or "")
        if isinstance(cell, str):
            where = f"{where}, column '{column.source}': '{cell}'"
        try:
            if isinstance(content, DataError):
                raise content
            return decode_image(content, size=(height, width), channels=channels)
        except DataError as error:
            if self._refuse:
                raise DataError(f"{where} is not an image that can be read: {error}.") from None
            self.unreadable[row] = True
            self.unusual.unreadable.append(f"{where} ({error})")
            return np.zeros(column.shape, np.uint8)

    def _category(self, column: Column, cells: Any) -> Any:
        # Each distinct value is converted once, however many rows have it.
        encoded = cells.dictionary_encode()
        known = frozenset(column.words)
        words = spelled(encoded.dictionary, known, column.reading)
        codes = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
        strange = [place for place, word in enumerate(words) if word not in known and word != ""]
        if strange:
            counts = np.bincount(codes, minlength=len(words))
            unknown: Counter[str] = Counter()
            for place in strange:
                unknown[words[place]] += int(counts[place])
            self.unusual.count_words(column, unknown)
        return tf.gather(tf.constant([*words, ""]), codes[:, None])


def plain_name(name: str) -> str:
    """Returns a column's name without its capitals and in Unicode's composed form."""
    return normalize("NFC", name).lower()


def _dates(column: Column, cells: Any, block: RawRows) -> Any:
    named = "" if column.reading is None else column.reading.dates
    words = dates.written(cells, named).fill_null("")
    other = dates.other_cells(words, named)
    if len(other):
        raise DataError(
            f"{block.where(other[0])}, column '{column.source}': expected a date such as {dates.EXAMPLES[named]}, got "
            f"'{str(words[int(other[0])])[:60]}'. An empty cell stands for a missing one."
        )
    return tf.constant(words.to_numpy(zero_copy_only=False)[:, None], tf.string)


def largest(column: Column) -> float:
    """Returns the largest number that the model can take, since it counts with 32 bits once a column is scaled."""
    span = [abs(end) for end in (column.minimum, column.maximum) if end is not None]
    return min(float(np.finfo(np.float32).max) * max([1.0, *span]), float(np.finfo(np.float64).max))


def spell(value: Any, known: AbstractSet[str]) -> str:
    """Spells a value like the training data: "3" for 3, 3.0 and "3.0", "True" for true, "" for missing."""
    if value is None:
        return ""
    if isinstance(value, float):
        word = "" if value != value else str(int(value)) if value.is_integer() else repr(value)
    else:
        word = str(value)
    if word in known:
        return word
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # What is a number here may be "007" or "3.0" in the training data.
        return _numerals(frozenset(known)).get(value) or word
    stripped = word.strip()
    whole = WHOLE_NUMBER.fullmatch(stripped)
    for other in (stripped, whole[1] if whole else stripped, stripped.capitalize()):
        if other in known:
            return other
    return stripped


@functools.lru_cache(maxsize=256)
def _numerals(known: frozenset[str]) -> dict[int | float, str | None]:
    """Returns the word that spells each number, or None if several do."""
    found: dict[int | float, str | None] = {}
    for word in known:
        if NUMERAL.fullmatch(word):
            number = float(word) if set(word) & set(".eE") else int(word)
            found[number] = None if number in found else word
    return found


def spelled(cells: Any, known: AbstractSet[str], reading: ColumnReading | None) -> list[str]:
    """Spells the different values of a column like its train rows, whose words are `known`; "" for missing."""
    if reading and arrow_cells.is_text(cells):
        return [word or "" for word in reading.words(cells).to_pylist()]
    return [spell(value, known) for value in cells.to_pylist()]


def numbers(cells: Any, name: str, block: RawRows, reading: ColumnReading | None = None) -> npt.NDArray[np.float64]:
    """Converts cells to float64 with NaN for a missing one, shape (n,).

    Raises:
        DataError: If a cell holds a word or an infinite number; the message names row and column.
    """
    reading = reading or ColumnReading()
    values = reading.number_values(cells)
    bad = np.flatnonzero(np.isnan(values) & ~arrow_cells.missing(cells))
    if len(bad):
        expected = "a number" if reading.numbers.plain else f"a number {reading.numbers.described()}"
        raise DataError(
            f"{block.where(bad[0])}, column '{name}': expected {expected}, got '{str(cells[bad[0]].as_py())[:60]}'. "
            "An empty cell stands for a missing one."
        )
    infinite = np.flatnonzero(np.isinf(values))
    if len(infinite):
        raise DataError(f"{block.where(infinite[0])}, column '{name}' is infinite; expected a finite number.")
    return values
