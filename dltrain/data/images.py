"""Loads a user's images from a folder or an archive with one folder for each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from dltrain.base.errors import DataError, did_you_mean
from dltrain.data.archive import read_files
from dltrain.data.dataset import Dataset
from dltrain.data.image_file import SUFFIXES, Options, read_images
from dltrain.data.storage import data_directory

TEST_FOLDERS = ("test", "testing")
CLASSES_SHOWN = 20


def load(*, name: str, path: str, size: int | Sequence[int] | None, channels: int | None, corrupt: str) -> Dataset:
    """Loads every PNG, JPEG, BMP and GIF; its class is the name of its folder.

    A folder `test` around the classes is an official test set; all other rows train and validate. `path` is relative to
    the current directory, else to the data directory. The name `images`, the option's own, is replaced by that of the
    folder or archive.
    """
    options = Options.of(size, channels, corrupt)
    location = _locate(path)
    contents = dict(read_files(location, _is_image))
    if not contents:
        raise DataError(f"{location} has no image: expected files that end with {', '.join(SUFFIXES)}.")
    names = sorted(contents)
    loose = [found for found in names if "/" not in found]
    if loose:
        raise DataError(
            f"{location}: {loose[0]} lies in no folder; expected a folder a class, such as cats/{loose[0]}."
        )
    images = read_images(((found, contents[found]) for found in names), options, origin=str(location))
    kept = np.array(names, dtype=object)[images.readable]
    classes = np.array([PurePosixPath(found).parent.name for found in kept], dtype=object)
    counts = Counter(classes)
    if len(counts) < 2:
        raise DataError(f"{location} has images of one class alone, '{classes[0]}'; expected a folder a class.")
    test_rows = np.array([bool({*PurePosixPath(found).parts[:-2]} & {*TEST_FOLDERS}) for found in kept])
    official = bool(test_rows.any() and not test_rows.all())
    height, width, depth = images.pixels.shape[1:]
    stem = location.name if location.is_dir() else location.name.split(".")[0]
    shown = ", ".join(f"{label} {count:,}" for label, count in sorted(counts.items())[:CLASSES_SHOWN])
    return Dataset(
        name=stem if name == "images" else name,
        columns={"image": images.pixels},
        kinds={"image": "image"},
        target={"class": classes},
        row_ids=kept,
        source=f"{len(kept):,} images of {len(counts):,} classes in {location}, "
        f"{height} x {width} {'grey' if depth == 1 else 'colour'}",
        test_rows=test_rows if official else None,
        notes=(f"classes: {shown}{', …' if len(counts) > CLASSES_SHOWN else ''}.", *images.notes),
    )


def _is_image(name: str) -> bool:
    parts = PurePosixPath(name).parts
    # macOS adds hidden files to archives that have an image's suffix and are no images.
    hidden = any(part.startswith(("._", "__MACOSX")) for part in parts)
    return name.lower().endswith(SUFFIXES) and not hidden


def _locate(path: str) -> Path:
    given = Path(path).expanduser().absolute()
    for found in (given, data_directory() / path):
        if found.exists():
            return found
    beside = [entry.name for entry in given.parent.iterdir()] if given.parent.is_dir() else []
    hint = did_you_mean(given.name, beside) if beside else ""
    raise DataError(f"dataset.path={path}: there is no {given}; expected a folder or archive of images.{hint}")
