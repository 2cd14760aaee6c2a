"""Holds the texts of a column that are too large for the memory in a file, and gives some of them at a time."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dltrain.base.errors import DataError
from dltrain.data.cells import is_text, missing
from dltrain.data.storage import map_file, nameless_file, release_pages

MOST_IN_MEMORY = 2**28  # bytes of the texts of a column
AT_ONCE = 2**26  # bytes of texts that are copied from the file at a time
CELLS_AT_ONCE = 4_096
LONG = 200  # bytes of a cell
WORDS_KEPT = 9  # one more would not change whether the median of a column's words is 5
LETTERS_KEPT = 20
OF_NUMBERS = "0123456789+-.,eE'’ "


class TextSpool:
    """Collects the cells of a column, chunk after chunk.

    Where texts take more than `MOST_IN_MEMORY`, they lie in a file that is gone with the array.
    """

    def __init__(self) -> None:
        self._chunks: list[Any] = []
        self._bytes = 0
        self._only_text = True  # or missing
        self._file: IO[bytes] | None = None
        self._offsets: list[npt.NDArray[np.int64]] = []
        self._present: list[npt.NDArray[np.bool_]] = []

    def append(self, chunk: Any) -> None:
        """Adds cells of any type; where one is no text, none of them goes to a file from there on."""
        self._only_text = self._only_text and (is_text(chunk) or bool(missing(chunk).all()))
        if self._file is not None and self._only_text:
            self._write(chunk)
            return
        if self._file is not None:
            self._chunks, self._file = self.chunks(), None
        self._chunks.append(chunk)
        self._bytes += chunk.nbytes if is_text(chunk) else 0
        if self._only_text and self._bytes > MOST_IN_MEMORY:
            self._file, _ = nameless_file()
            weakref.finalize(self, self._file.close)  # an array that was made of it stays
            self._offsets, self._present = [np.zeros(1, np.int64)], []
            while self._chunks:
                self._write(self._chunks.pop(0))

    def chunks(self) -> list[Any]:
        """Returns the cells; those of a file are one chunk of the type `large_string`."""
        if self._file is None:
            return self._chunks
        self._file.flush()
        offsets = np.concatenate(self._offsets)
        present = np.concatenate([np.zeros(0, bool), *self._present])
        texts = map_file(self._file) if offsets[-1] else b""
        valid = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
        whole = pa.LargeStringArray.from_buffers(len(present), pa.py_buffer(offsets), pa.py_buffer(texts), valid)
        return [whole]

    def _write(self, chunk: Any) -> None:
        assert self._file is not None
        if not is_text(chunk):
            chunk = pa.nulls(len(chunk), pa.large_string())
        # A cell that is missing has no letters in the file.
        filled = pc.fill_null(chunk, "").cast(pa.large_string())
        offsets = np.frombuffer(filled.buffers()[1], np.int64)[filled.offset : filled.offset + len(filled) + 1]
        if len(filled):
            letters = filled.buffers()[2]
            try:
                self._file.write(memoryview(letters)[offsets[0] : offsets[-1]] if letters is not None else b"")
            except OSError as error:
                raise DataError(
                    f"The texts do not fit on the disk of the data directory ({error.strerror}); another one can be "
                    "named in the environment variable DLTRAIN_DATA_DIR."
                ) from None
            self._offsets.append(offsets[1:] - offsets[0] + self._offsets[-1][-1])
        self._present.append(np.asarray(chunk.is_valid().to_numpy(zero_copy_only=False), bool))


class TextColumn:
    """An array of texts, shape (n,), of which some are copied from a file at a time; "" stands for a missing one.

    It takes rows as NumPy's arrays do: those of at most `AT_ONCE` bytes become an object array of str, more stay in the
    file. To loop over it reads the texts in blocks; NumPy and functions that want an array get all of them.
    """

    dtype = np.dtype(object)
    itemsize = dtype.itemsize
    ndim = 1

    def __init__(self, cells: pa.LargeStringArray, rows: npt.NDArray[np.integer] | None = None) -> None:
        self._cells = cells
        self._rows = np.arange(len(cells)) if rows is None else rows

    @property
    def shape(self) -> tuple[int]:
        """The number of texts."""
        return (len(self._rows),)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> Any:
        rows = self._rows[key]
        if np.ndim(rows) == 0:
            return self._cells[int(rows)].as_py() or ""
        return self._words(rows) if self._size(rows) <= AT_ONCE else TextColumn(self._cells, rows)

    def view(self, rows: npt.NDArray[np.integer]) -> TextColumn:
        """Selects texts by their positions, shape (m,), and leaves them in the file."""
        return TextColumn(self._cells, self._rows[rows])

    def __iter__(self) -> Iterator[str]:
        for block in self.blocks():
            yield from block

    def blocks(self) -> Iterator[npt.NDArray[np.object_]]:
        """Yields the texts as arrays of at most 4,096."""
        for first in range(0, len(self), CELLS_AT_ONCE):
            yield self._words(self._rows[first : first + CELLS_AT_ONCE])

    def __eq__(self, other: object) -> Any:
        found = [block == other for block in self.blocks()]
        return np.concatenate(found) if found else np.zeros(0, bool)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        whole = np.empty(len(self), object)
        for place, block in enumerate(self.blocks()):
            whole[place * CELLS_AT_ONCE : place * CELLS_AT_ONCE + len(block)] = block
        return whole if dtype is None else whole.astype(dtype)

    def _size(self, rows: npt.NDArray[np.integer]) -> int:
        offsets = np.frombuffer(self._cells.buffers()[1], np.int64)
        return int((offsets[rows + 1] - offsets[rows]).sum())

    def _words(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
        words: npt.NDArray[np.object_] = self._cells.take(pa.array(rows)).fill_null("").to_numpy(zero_copy_only=False)
        release_pages()
        return words


def in_blocks(cells: Any) -> Iterator[npt.NDArray[Any]]:
    """Yields the cells of a dataset's column as arrays, at least one."""
    yield from cells.blocks() if isinstance(cells, TextColumn) and len(cells) else [np.asarray(cells)]


def in_file(cells: Any) -> bool:
    """Tells whether the cells of a table's column are texts that lie in a file, in one chunk."""
    return isinstance(cells, pa.ChunkedArray) and cells.num_chunks == 1 and pa.types.is_large_string(cells.type)


def blocks(cells: pa.ChunkedArray) -> Iterator[pa.Array]:
    """Yields cells that lie in a file, some at a time."""
    whole = cells.chunk(0)
    for first in range(0, len(whole), CELLS_AT_ONCE):
        yield whole.slice(first, CELLS_AT_ONCE)
        release_pages()


def changed(cells: pa.ChunkedArray, change: Callable[[Any], Any]) -> pa.ChunkedArray:
    """Returns cells that lie in a file after a change of each, in another file if one of them differs."""
    for block in blocks(cells):
        if not change(block).cast(block.type).equals(block):
            return spooled(change(each) for each in blocks(cells))
    return cells


def spooled(chunks: Iterable[Any]) -> pa.ChunkedArray:
    """Collects the cells of a column of text."""
    spool = TextSpool()
    for chunk in chunks:
        spool.append(chunk)
    return pa.chunked_array(spool.chunks())


def abridged(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns cells that lie in a file in the memory, each long one as its first words and a hash of it.

    Numbers stay; other long texts stay different from each other, and become no number, date or name of an image.
    """
    return pa.chunked_array([pa.array(map(_short, block.to_pylist()), pa.string()) for block in blocks(cells)])


def _short(cell: str | None) -> str | None:
    if cell is None or len(cell) <= LONG or not cell.strip(OF_NUMBERS):
        return cell
    words = cell.split(None, WORDS_KEPT)[:WORDS_KEPT]
    digest = hashlib.md5(cell.encode(), usedforsecurity=False).hexdigest()
    return f"{' '.join(word[:LETTERS_KEPT] for word in words)}…{digest}{cell[-8:].split()[-1]}"
