"""Loads CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour images of 32 x 32 pixels in ten classes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import DataError
from dltrain.base.notes import counted, some
from dltrain.base.regular_file import find, is_reachable
from dltrain.config.tasks import MULTICLASS
from dltrain.data.archive import read_files
from dltrain.data.dataset import Dataset
from dltrain.data.storage import data_directory, download

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST = "test_batch.bin"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
RECORD = 1 + 3 * 32 * 32  # bytes: the label, then the red, the green and the blue plane

Bytes = npt.NDArray[np.uint8]


def load(*, name: str, path: str | None) -> Dataset:
    """Loads the training batches, then the official test batch, in their own order.

    `path` is the archive of the binary version or its unpacked folder; None looks in the data directory, then downloads
    170 MB.
    """
    location = _locate(path)
    batches: dict[str, Bytes] = {}
    others: list[str] = []

    def is_batch(name: str) -> bool:
        wanted = PurePosixPath(name).name in (*TRAIN, TEST)
        if not wanted:
            others.append(name)
        return wanted

    for found, content in read_files(location, is_batch):
        file = PurePosixPath(found).name
        if file in batches:
            raise DataError(f"{location} has two files {file}, one is {found}; expected one of each.")
        batches[file] = _records(content, f"{location}: {found}")
    train = [file for file in TRAIN if file in batches]
    if not train or TEST not in batches:
        python = (
            " This is the version of Python pickles, which can run any code and are not read."
            if {"data_batch_1", "test_batch"} & {PurePosixPath(name).name for name in others}
            else ""
        )
        raise DataError(
            f"{location} has no {TRAIN[0]} with a {TEST}; expected CIFAR-10's binary version, {ARCHIVE}.{python}"
        )
    records = np.concatenate([*(batches[file] for file in train), batches[TEST]])
    tested = len(batches[TEST])
    pixels = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    lacking = [file for file in TRAIN if file not in batches]
    notes = [f"Missing: {', '.join(lacking)}."] if lacking else []
    if others:
        notes.append(f"Skipped {counted(len(others), 'file')} that are not batches: {some(others)}.")
    return Dataset(
        name=name,
        columns={"image": np.ascontiguousarray(pixels)},
        kinds={"image": "image"},
        target={"class": np.array(CLASSES, dtype=object)[records[:, 0]]},
        row_ids=np.arange(len(records)),
        source=f"{len(records):,} colour images of CIFAR-10 in {location}, {tested:,} of them the official test set",
        test_rows=np.arange(len(records)) >= len(records) - tested,
        task=MULTICLASS.name,
        notes=tuple(notes),
    )


def _records(content: bytes, origin: str) -> Bytes:
    if not content or len(content) % RECORD:
        raise DataError(f"{origin} has {len(content):,} bytes, expected a multiple of {RECORD:,}; fetch it again.")
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    if records[:, 0].max() >= len(CLASSES):
        raise DataError(f"{origin} has the label {records[:, 0].max()}, expected 0 to {len(CLASSES) - 1}.")
    return records


def _locate(path: str | None) -> Path:
    if path is not None:
        return find(path, key="dataset.path", expected=f"archive {ARCHIVE} or folder", folder=True)
    folder = data_directory() / "cifar10"
    for found in (folder / FOLDER, folder / ARCHIVE):
        if is_reachable(found):
            return found
    remedy = f" Put {ARCHIVE} into {folder}, or set dataset.path to where it is."
    return download(URL, SHA256, folder / ARCHIVE, remedy)
