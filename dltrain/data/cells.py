"""Holds the cells of a column as Arrow has them, exactly as in the file, and converts them to numbers or to words."""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MOST_OF_A_CHUNK = 2**31 - 1  # bytes of text that Arrow's `string` can hold in a chunk


def to_arrow(values: Any) -> pa.ChunkedArray:
    """Converts cells of any kind to Arrow; mixed ones become words, and dictionaries the values that they stand for."""
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        cells = values
    else:
        try:
            cells = pa.array(values, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            cells = pa.array(
                _spell(None if pd.api.types.is_scalar(cell) and pd.isna(cell) else cell for cell in values)
            )
    chunked = cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])
    return pa.chunked_array([_plain(chunk) for chunk in chunked.chunks], type=_plain(pa.array([], chunked.type)).type)


def _plain(chunk: Any) -> Any:
    if isinstance(chunk, pa.ExtensionArray):
        chunk = chunk.storage
    if pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    if pa.types.is_float16(chunk.type):
        return chunk.cast(pa.float32())
    wide = pa.types.is_large_string(chunk.type) or pa.types.is_string_view(chunk.type)
    return chunk.cast(pa.string()) if wide and chunk.nbytes < MOST_OF_A_CHUNK else chunk


def is_text(cells: Any) -> bool:
    """Tells whether the cells are text."""
    return bool(pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type))


def is_number(cells: Any) -> bool:
    """Tells whether the cells are numbers of any type."""
    kind = cells.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_nested(cells: Any) -> bool:
    """Tells whether a cell holds more than one value, or bytes."""
    kind = cells.type
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def missing(cells: Any) -> npt.NDArray[np.bool_]:
    """Marks the missing cells, shape (n,)."""
    absent: npt.NDArray[np.bool_] = pc.is_null(cells, nan_is_null=True).to_numpy(zero_copy_only=False)
    return absent


def numbers(cells: Any) -> npt.NDArray[np.float64]:
    """Converts cells of a type of numbers to float64 of shape (n,), with NaN for a missing one."""
    values: npt.NDArray[np.float64] = pc.cast(cells, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def with_nan(cells: Any) -> Any:
    """Returns the cells with NaN for null if they are float64, which NumPy takes without a copy."""
    return pc.fill_null(cells, np.nan) if pa.types.is_float64(cells.type) and cells.null_count else cells


def words(cells: Any) -> Any:
    """Converts cells to text of n rows, null for a missing one.

    Whole numbers have no decimal point and all their digits; true and false a capital.
    """
    if is_text(cells):
        return cells
    if pa.types.is_integer(cells.type):
        return pc.cast(cells, pa.string())
    chunks = cells.chunks if isinstance(cells, pa.ChunkedArray) else [cells]
    return pa.chunked_array([_spelled(chunk) for chunk in chunks], type=pa.string())


def word_array(cells: Any) -> npt.NDArray[np.object_]:
    """Returns `words` as an object array of str and None, shape (n,), in which each distinct word is stored once."""
    text = words(cells)
    found = np.empty(len(text), dtype=object)
    done = 0
    for chunk in text.chunks if isinstance(text, pa.ChunkedArray) else [text]:
        encoded = chunk.dictionary_encode()
        distinct = np.array([*encoded.dictionary.to_pylist(), None], dtype=object)
        places = encoded.indices.fill_null(len(distinct) - 1).to_numpy(zero_copy_only=False)
        np.take(distinct, places, out=found[done : done + len(chunk)], mode="clip")
        done += len(chunk)
    return found


def _spelled(chunk: Any) -> Any:
    if is_nested(chunk):
        return pa.array([None if cell is None else str(cell) for cell in chunk.to_pylist()], pa.string())
    encoded = chunk.dictionary_encode()  # so that each distinct value is spelled once
    return pa.array(_spell(encoded.dictionary.to_pylist()), pa.string()).take(encoded.indices)


def _spell(values: Iterable[Any]) -> list[str | None]:
    found: list[str | None] = []
    for value in values:
        if value is None or value != value:
            found.append(None)
        elif isinstance(value, float):
            found.append(str(int(value)) if value.is_integer() else repr(value))
        elif isinstance(value, decimal.Decimal):
            whole = value == value.to_integral_value()
            found.append(str(int(value)) if whole else format(value.normalize(), "f"))
        else:
            found.append(str(value))
    return found
