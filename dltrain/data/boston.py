"""Loads the Boston housing data of 1970 (506 census tracts); conf/dataset/boston.yaml tells what is wrong with them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from mlxtend.data import boston_housing_data

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.config.tasks import REGRESSION
from dltrain.data.column_values import numeric_values
from dltrain.data.dataset import Dataset
from dltrain.data.raw_table import from_columns
from dltrain.data.read_table import read_table
from dltrain.data.source_file import find_file, read_bytes

FEATURES = (
    "CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE", "DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT",
)  # fmt: skip
TARGET = "MEDV"
SOURCES = ("mlxtend", "keras")
NPZ_MAGIC = b"PK"

Floats = npt.NDArray[np.float64]


def load(*, name: str, source: str, path: str | None) -> Dataset:
    """Loads one row for each census tract; the target MEDV is the median value of a home in 1,000 dollars.

    `source` is `mlxtend` (installed with the package) or `keras` (downloaded once, rows in another order). `path` names
    a `housing.data` or Keras' `boston_housing.npz` to read in place of the source.
    """
    if source not in SOURCES:
        raise ConfigError(f"dataset.source={source} is not a source of Boston's table.{did_you_mean(source, SOURCES)}")
    if path is not None:
        if source != SOURCES[0]:
            raise ConfigError(f"dataset.source={source} has no effect beside dataset.path={path}; give one of them.")
        found = find_file(path)
        values, origin = _own_file(found), str(found)
    elif source == "keras":
        values, origin = _keras(), "Keras' boston_housing, both its parts"
    else:
        features, medv = boston_housing_data()
        values, origin = np.column_stack([features, medv]), "mlxtend's copy"
    table = from_columns(zip((*FEATURES, TARGET), values.T, strict=True), origin=origin)
    target = numeric_values(table, TARGET)
    capped = int(np.sum(target == 50.0))
    return Dataset(
        name=name,
        columns={column: numeric_values(table, column) for column in FEATURES},
        kinds=dict.fromkeys(FEATURES, "numeric"),
        target={TARGET: target},
        row_ids=np.arange(len(values)),
        source=f"{len(values)} census tracts and {len(FEATURES)} columns of 'Boston housing' ({origin})",
        task=REGRESSION.name,
        notes=(f"MEDV stands at its cap of 50.0 in {capped} rows; their true values are higher.",),
    )


def _own_file(path: Path) -> Floats:
    content = read_bytes(path)
    if content.startswith(NPZ_MAGIC):
        return _npz(content, path.name)
    table = read_table(str(path), separator="whitespace", header=False)
    if len(table.columns) != len(FEATURES) + 1:
        raise DataError(
            f"{path.name}: expected {len(FEATURES) + 1} numbers a line, separated by blanks and without a "
            f"header as in UCI's housing.data, got {len(table.columns)} fields; for another "
            "table use dataset=csv."
        )
    return np.column_stack([numeric_values(table, column) for column in table.columns])


def _npz(content: bytes, origin: str) -> Floats:
    try:
        # Unpickling can run any code.
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            features, medv = arrays["x"], arrays["y"]
            values = np.column_stack([features, medv]).astype(np.float64)
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{origin} is not a boston_housing.npz with arrays x and y of numbers: {error}.") from None
    if values.ndim != 2 or values.shape[1] != len(FEATURES) + 1:
        raise DataError(
            f"{origin}: expected x of shape (rows, {len(FEATURES)}) and y of shape (rows,), got "
            f"{features.shape} and {medv.shape}."
        )
    return values


def _keras() -> Floats:
    # Imported here because importing Keras takes seconds and no other source needs it.
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from keras.datasets import boston_housing

    try:
        (train, train_medv), (test, test_medv) = boston_housing.load_data()
    except Exception as error:  # the network and the cache fail in many ways, all with one remedy
        raise DataError(
            f"Keras' boston_housing cannot be downloaded ({error}). Connect to the network, or take "
            "dataset.source=mlxtend, which needs none."
        ) from None
    return np.vstack([np.column_stack([train, train_medv]), np.column_stack([test, test_medv])]).astype(np.float64)
