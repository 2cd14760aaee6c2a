"""Keras' form of the film reviews: imdb.npz, each review a list of word numbers, read without trusting it."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from dltrain.base.errors import DataError

KERAS_FILE = "imdb.npz"
WORD_INDEX_FILE = "imdb_word_index.json"
WORD_INDEX_URL = f"https://storage.googleapis.com/tensorflow/tf-keras-datasets/{WORD_INDEX_FILE}"
# `keras.datasets.imdb.load_data` adds 3 to the numbers of the file and puts a 1 before each review.
START, LOAD_DATA_OFFSET = 1, 3
UNKNOWN = "[UNK]"
MOST_UNPACKED = 2**30  # Keras' own file unpacks to a tenth of it
# What zip, numpy's header and pickle raise on a damaged file; pickle says that it can be nearly anything.
_DAMAGE = (
    *(pickle.UnpicklingError, zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError),
    *(AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError, OverflowError, MemoryError),
)


def keras_cache() -> Path:
    """The folder where `keras.datasets` keeps its downloads."""
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def word_index_file(npz: Path) -> Path:
    """The word index that belongs to an imdb.npz.

    Args:
        npz: Keras' file.

    Returns:
        `imdb_word_index.json` beside it, else the one in Keras' cache.

    Raises:
        DataError: there is none.
    """
    for folder in (npz.parent, keras_cache()):
        if (folder / WORD_INDEX_FILE).is_file():
            return folder / WORD_INDEX_FILE
    raise DataError(f"{npz} holds numbers of words: put {WORD_INDEX_FILE} ({WORD_INDEX_URL}) in {npz.parent}.")


def read_keras_reviews(npz: Path, word_index: Path) -> list[tuple[str, bool, bool, str]]:
    """Decodes the reviews into words.

    Args:
        npz: the file as Keras downloads it, or one with the output of `load_data` under the same names.
        word_index: JSON with the number of each word, from 1.

    Returns:
        For each review its text, whether it is positive, whether it is of the test part, and its id
        (`train/17`); the training part first, each in the order of the file.

    Raises:
        DataError: one of the files is damaged or holds something else.
    """
    words = _read_word_index(word_index)
    reviews = []
    try:
        with zipfile.ZipFile(npz) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
                raise ValueError(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
            for part in ("train", "test"):
                with archive.open(f"x_{part}.npy") as file:
                    rows = _read_lists(file)
                with archive.open(f"y_{part}.npy") as file:
                    labels = np.lib.format.read_array(file, allow_pickle=False).tolist()
                if not set(labels) <= {0, 1}:
                    raise ValueError(f"y_{part} has other labels than 0 and 1")
                texts = _decode(rows, words)
                for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
                    reviews.append((text, label == 1, part == "test", f"{part}/{row}"))
        if not reviews:
            raise ValueError("it has no reviews")
    except _DAMAGE as error:
        raise DataError(f"Cannot read {npz} as Keras' IMDB file: {error}. Fetch it again.") from None
    return reviews


def _read_word_index(path: Path) -> dict[int, str]:
    try:
        index = json.loads(path.read_bytes())
        return {int(number): str(word) for word, number in index.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"Cannot read {path}: expected a JSON object of words and their numbers ({error}).") from None


def _decode(rows: list[list[int]], words: dict[int, str]) -> list[str]:
    # In the plain file 1 is the commonest word: not every review can start with it.
    if rows and all(row[:1] == [START] for row in rows):
        words = {number + LOAD_DATA_OFFSET: word for number, word in words.items()}
        rows = [[number for number in row[1:] if number] for row in rows]
    return [" ".join([words.get(number, UNKNOWN) for number in row]) for row in rows]


class _Inert:
    """Stands for whatever a pickle asks to have built: takes any arguments, keeps its state, does nothing."""

    state: Any = ()

    def __init__(self, *arguments: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        self.state = state


class _ListUnpickler(pickle.Unpickler):
    """Reads lists and numbers; no function or class that the file names is ever imported or called."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name.split(".")[0], global_name) in {
            ("numpy", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }:
            return _Inert
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which no list of numbers needs")


def _read_lists(file: IO[bytes]) -> list[list[int]]:
    """An .npy member with an array of lists of whole numbers."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        _, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        _, _, dtype = np.lib.format.read_array_header_2_0(file)
    if not dtype.hasobject:
        raise ValueError("expected lists of different lengths, got one array")
    array = _ListUnpickler(file, encoding="latin1").load()
    # An array pickles its state as (version, shape, dtype, is_fortran, rows).
    rows = array.state[4]
    if not all(type(row) is list and all(type(number) is int for number in row) for row in rows):
        raise ValueError("expected lists of whole numbers")
    return list(rows)
