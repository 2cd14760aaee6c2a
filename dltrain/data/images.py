"""Loads a user's images from a folder or an archive with a folder for each class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from dltrain.base.errors import DataError
from dltrain.base.notes import some
from dltrain.data.archive import stem
from dltrain.data.class_folders import check_classes, choose_files, class_files, count_classes, locate
from dltrain.data.dataset import Dataset
from dltrain.data.image_file import SUFFIXES, Options, read_images
from dltrain.data.pixel_stack import PixelStack


def load(
    *, name: str, path: str, size: int | Literal["auto"] | Sequence[int] | None, channels: int | None, corrupt: str
) -> Dataset:
    """Loads every file that image_file.py reads, ordered by name; class_folders.py tells the class of each.

    `path` is relative to the current directory, else to the data directory. The name `images`, the option's own, is
    replaced by that of the folder or archive.

    Raises:
        DataError: If there are fewer than two classes, or no image of a class can be read.
    """
    options = Options.of(size, channels, corrupt)
    location = locate(path, "image")
    chosen = choose_files(location, "image", SUFFIXES)
    found = class_files(chosen)
    check_classes(chosen, found)
    read: list[str] = []

    def contents() -> Iterator[tuple[str, bytes]]:
        for file, content in chosen.read():
            if file in found.classes:
                read.append(file)
                yield file, content

    images = read_images(contents(), options, origin=str(location))
    kept = np.array(read, dtype=object)[images.readable]
    order = np.argsort(kept, kind="stable")
    pixels = images.pixels
    if (np.diff(order) != 1).any():  # a .tar has them in any order
        kept, ordered = kept[order], PixelStack()
        for place in order:
            ordered.append(pixels[place])
        pixels = ordered.array(grey=False)
    classes = np.array([found.classes[file] for file in kept], dtype=object)
    if lost := sorted({*found.classes.values()} - {*classes}):
        raise DataError(
            f"{location}: no image of {some(lost)} can be read. Put others there, or take the folder away if it is to "
            f"be no class. {' '.join(images.notes)}"
        )
    height, width, depth = pixels.shape[1:]
    return Dataset(
        name=stem(location) if name == "images" else name,
        columns={"image": pixels},
        kinds={"image": "image"},
        target={"class": classes},
        row_ids=kept,
        source=f"{len(kept):,} images of {len(set(classes)):,} classes in {location}, "
        f"{height} x {width} {'grey' if depth == 1 else 'colour'}",
        test_rows=np.array([file in found.test for file in kept]) if found.test else None,
        notes=(count_classes(classes.tolist()), *found.notes, *images.notes),
    )
