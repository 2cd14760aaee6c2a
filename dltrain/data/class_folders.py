"""Chooses the files of a folder or archive, and tells the class of each: one rule for training and for finished runs.

    photos/cats/camera_1/a.png         the class is the folder just below the root: cats
    photos/train/cats/a.png            train, validation and test around the classes are parts
    photos/cats/.thumbnails/a.png      hidden: no file of the data, and no class
    photos/a.png                       in no folder of a class

The root is the folder or archive, or the one folder in it that holds all others.
"""

from __future__ import annotations

import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dltrain.base.errors import DataError
from dltrain.base.notes import counted, some
from dltrain.base.regular_file import find
from dltrain.data.archive import is_archive, list_names, read_files
from dltrain.data.storage import data_directories

TRAIN = {"train", "training"}
TEST = {"test", "testing"}
PARTS = TRAIN | TEST | {"val", "valid", "validation"}
# Beside names that begin with a dot: what macOS adds to archives, and the thumbnails of network drives.
HIDDEN = {"__macosx", "@eadir"}
CLASSES_SHOWN = 20
SUFFIXES_SHOWN = 6

Names = tuple[str, ...]


@dataclass(frozen=True)
class ChosenFiles:
    """The files of one kind in a folder or archive, and those that are left. Folders are separated by slashes."""

    location: Path
    noun: str  # what a file holds, for messages: image or text
    names: tuple[str, ...]  # the files that are read, sorted
    hidden: tuple[str, ...]
    others: tuple[str, ...]  # files with other suffixes
    folders: tuple[str, ...]  # with a slash at the end

    def read(self) -> Iterator[tuple[str, bytes]]:
        """Yields name and content of each file, in the order of `archive.read_files`."""
        return read_files(self.location, set(self.names).__contains__)

    def notes(self) -> list[str]:
        """Returns sentences on the files that are left."""
        notes = []
        if self.hidden:
            notes.append(f"skipped {counted(len(self.hidden), 'hidden file')}: {some(self.hidden)}.")
        if self.others:
            notes.append(
                f"skipped {counted(len(self.others), 'file')} whose suffix is of no {self.noun}: {some(self.others)}."
            )
        return notes


@dataclass(frozen=True)
class ClassFiles:
    """The files that are in a folder of a class."""

    classes: Mapping[str, str]  # the class of each file, by its name, sorted by that
    test: frozenset[str]  # the files of an official test set
    notes: tuple[str, ...]


def locate(path: str, noun: str) -> Path:
    """Returns the folder or archive of `dataset.path`, from the current directory, else from the data directory.

    Raises:
        DataError: If there is none.
    """
    expected = f"folder or archive of {noun}s"
    found = find(path, key="dataset.path", expected=expected, folder=True, also_in=data_directories())
    if found.is_dir() or zipfile.is_zipfile(found) or is_archive(found):
        return found
    raise DataError(
        f"dataset.path: {found} is a file; expected a {expected}. A table, also one that names files, is read by "
        "dataset=csv dataset.target=COLUMN."
    )


def choose_files(location: Path, noun: str, suffixes: Sequence[str]) -> ChosenFiles:
    """Chooses the files with one of these suffixes, given in lower case, that are not hidden.

    Raises:
        DataError: If there is none, or `location` cannot be read.
    """
    found = sorted(set(list_names(location)))
    hidden = {name for name in found if any(map(_is_hidden, PurePosixPath(name).parts))}
    folders = {name for name in found if name.endswith("/")}
    names = {name for name in found if name.lower().endswith(tuple(suffixes))} - hidden - folders
    told = hidden | folders | names
    others = tuple(name for name in found if name not in told)
    if not names:
        more = ", …" if len(suffixes) > SUFFIXES_SHOWN else ""
        raise DataError(
            f"{location} has no {noun}: expected files that end with {', '.join(suffixes[:SUFFIXES_SHOWN])}{more}"
            f"{f'; got {some(others)}' if others else ''}."
        )
    return ChosenFiles(
        location,
        noun,
        tuple(sorted(names)),
        tuple(sorted(hidden - folders)),
        others,
        tuple(sorted(folders - hidden)),
    )


def class_files(chosen: ChosenFiles) -> ClassFiles:
    """Tells the class of each file that is in a folder of one, and names all other files and folders."""
    paths = {name: _path(name) for name in chosen.names}
    others = {name: _path(name) for name in (*chosen.others, *chosen.folders)}
    level = _root(paths.values(), others.values())
    below = {name: path[level:] for name, path in paths.items()}
    parts = _part_folders(below.values())
    split = any(part.casefold() in TRAIN for part in parts)
    classes = {name: found for name, path in below.items() if (found := _class(path, parts, split))}
    notes = []
    if level:
        notes.append(f"the classes are the folders of {'/'.join(paths[chosen.names[0]][:level])}.")
    if parts:
        notes.append(
            f"parts: {', '.join(sorted(parts))}; the rows of a test folder test, all others train and validate."
        )
    if loose := [name for name in chosen.names if name not in classes]:
        notes.append(f"skipped {counted(len(loose), 'file')} in no folder of a class: {some(loose)}.")
    if empty := sorted(
        {found for path in others.values() if (found := _class(path[level:], parts, split))} - {*classes.values()}
    ):
        notes.append(f"no class: {some(empty)}, without a file of {chosen.noun}s.")
    test = {name for name in classes if below[name][0] in parts and below[name][0].casefold() in TEST}
    return ClassFiles(classes, frozenset(test if len(test) < len(classes) else ()), (*notes, *chosen.notes()))


def count_classes(classes: Iterable[str]) -> str:
    """Returns a sentence on the number of rows of each class."""
    counts = Counter(classes)
    shown = ", ".join(f"{label} {count:,}" for label, count in sorted(counts.items())[:CLASSES_SHOWN])
    return f"classes: {shown}{', …' if len(counts) > CLASSES_SHOWN else ''}."


def check_classes(chosen: ChosenFiles, found: ClassFiles) -> None:
    """Raises DataError if the files are not of two classes or more."""
    expected = "expected a folder for each class"
    names = sorted(set(found.classes.values()))
    if not names:
        name = chosen.names[0]
        file = PurePosixPath(name).name
        raise DataError(f"{chosen.location}: {name} lies in no folder of a class; {expected}, such as cats/{file}.")
    if len(names) < 2:
        raise DataError(f"{chosen.location} has {chosen.noun}s of one class alone, '{names[0]}'; {expected}.")
    if all(name.casefold() in PARTS for name in names):
        raise DataError(
            f"{chosen.location}: the folders {' and '.join(names)} name parts and hold {chosen.noun}s themselves; "
            f"{expected} in them, such as {names[0]}/cats."
        )


def _is_hidden(part: str) -> bool:
    return (part.startswith(".") and part not in (".", "..")) or part.casefold() in HIDDEN


def _path(name: str) -> Names:
    """Returns folders and file of a name; a folder has an empty file. Both Unicode spellings of a letter are one."""
    parts = unicodedata.normalize("NFC", name).split("/")
    return tuple(
        part for place, part in enumerate(parts, start=1) if place == len(parts) or part not in ("", ".", "..")
    )


def _root(paths: Iterable[Names], others: Iterable[Names]) -> int:
    """Returns how many folders are around the root: one folder that alone holds all folders, but no file itself."""
    level, chosen, every = 0, list(paths), [*paths, *(path for path in others if path[-1])]
    while len({path[level] for path in every if len(path) > level + 1}) == 1 and min(map(len, chosen)) > level + 2:
        level += 1
    return level


def _part_folders(paths: Iterable[Names]) -> set[str]:
    """Returns the folders below the root that are parts: those that are named so and hold folders.

    One alone among others is a part if it holds the same classes as they do, and else a class: train beside bus.
    """
    every = list(paths)
    inside: dict[str, set[str]] = {}
    for path in every:
        if len(path) > 2 and path[0].casefold() in PARTS:
            inside.setdefault(path[0], set()).add(path[1])
    beside = {path[0] for path in every if len(path) > 1} - set(inside)
    return set(inside) if len(inside) > 1 or not beside or beside.intersection(*inside.values()) else set()


def _class(path: Names, parts: set[str], split: bool) -> str | None:
    """Returns the class of a file, given its path from the root; `split` tells whether all classes are in parts."""
    if path and path[0] in parts:
        path = path[1:]
    elif split:
        return None
    return path[0] if len(path) > 1 else None
