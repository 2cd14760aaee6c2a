"""Loads a folder of texts with a sub-folder for each class and a file for each text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dltrain.base.errors import DataError
from dltrain.data.dataset import Array, Dataset
from dltrain.data.source_file import decode

PARTS = ("train", "test")


def load(*, name: str, path: str, encoding: str | None) -> Dataset:
    """Loads .txt files into a column `text`, ordered by path; the class is the name of the file's folder.

    The folders of the classes may stand in folders `train` and `test`, which then make an official test set. The name
    `texts`, the option's own, is replaced by that of the folder. `encoding` None detects a codec for each file.
    """
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        raise DataError(f"dataset.path={path}: there is no folder {folder}.")
    has_parts = all((folder / part).is_dir() for part in PARTS)
    files = sorted(folder.glob("*/*/*.txt" if has_parts else "*/*.txt"))
    files = [file for file in files if not has_parts or file.relative_to(folder).parts[0] in PARTS]
    classes = sorted({file.parent.name for file in files})
    if len(classes) < 2:
        raise DataError(
            f"dataset.path={path}: expected .txt files in two folders or more, a folder for each class; "
            f"found {f'the class {classes[0]} alone' if classes else 'no such file'} in {folder}."
        )
    texts: list[str] = []
    notes: list[str] = []
    for file in files:
        text, said = _read(file, encoding)
        texts.append(text)
        notes += said
    if len(notes) > 3:
        notes = [*notes[:3], f"encoding: the same of {len(notes) - 3:,} more files."]
    row_ids = [file.relative_to(folder).as_posix() for file in files]
    test = np.array([row_id.startswith("test/") for row_id in row_ids]) if has_parts else None
    column: Array = np.array(texts, dtype=object)
    return Dataset(
        name=folder.name if name == "texts" else name,
        columns={"text": column},
        kinds={"text": "text"},
        target={"class": np.array([file.parent.name for file in files], dtype=object)},
        row_ids=np.array(row_ids, dtype=object),
        source=f"{len(files):,} texts of {len(classes)} classes in {folder}",
        test_rows=test if test is not None and test.any() and not test.all() else None,
        notes=tuple(notes),
    )


def _read(file: Path, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read {file}: {error.strerror}.") from None
    # A text without words is a missing cell.
    return decode(content, origin=str(file), encoding=encoding) if content.strip() else ("", ())
