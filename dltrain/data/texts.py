"""Loads texts from a folder or an archive with a folder for each class and a file for each text."""

from __future__ import annotations

import numpy as np

from dltrain.data.archive import stem
from dltrain.data.class_folders import check_classes, choose_files, class_files, count_classes, locate
from dltrain.data.dataset import Dataset
from dltrain.data.source_file import decode

SUFFIXES = (".txt",)
GUESSES_SHOWN = 3


def load(*, name: str, path: str, encoding: str | None) -> Dataset:
    """Loads .txt files into a column `text`, ordered by name; class_folders.py tells the class of each.

    `path` is relative to the current directory, else to the data directory. The name `texts`, the option's own, is
    replaced by that of the folder or archive. `encoding` None detects a codec for each file.
    """
    location = locate(path, "text")
    chosen = choose_files(location, "text", SUFFIXES)
    found = class_files(chosen)
    check_classes(chosen, found)
    texts: dict[str, str] = {}
    guesses: list[str] = []
    for file, content in chosen.read():
        if file in found.classes:
            texts[file], said = read_text(content, file, encoding)
            guesses += said
    if len(guesses) > GUESSES_SHOWN:
        more = f"encoding: the same of {len(guesses) - GUESSES_SHOWN:,} more files."
        guesses = [*guesses[:GUESSES_SHOWN], more]
    names = list(found.classes)
    return Dataset(
        name=stem(location) if name == "texts" else name,
        columns={"text": np.array([texts[file] for file in names], dtype=object)},
        kinds={"text": "text"},
        target={"class": np.array(list(found.classes.values()), dtype=object)},
        row_ids=np.array(names, dtype=object),
        source=f"{len(names):,} texts of {len(set(found.classes.values()))} classes in {location}",
        test_rows=np.array([file in found.test for file in names]) if found.test else None,
        notes=(count_classes(found.classes.values()), *found.notes, *guesses),
    )


def read_text(content: bytes, origin: str, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """Decodes the file of one text, and returns a note if the encoding is a guess.

    A file without words is a missing cell, "". `origin` is its name for messages.
    """
    return decode(content, origin=origin, encoding=encoding) if content.strip() else ("", ())
