"""Loads texts from a folder or an archive with a folder for each class and a file for each text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dltrain.data.archive import stem
from dltrain.data.class_folders import check_classes, choose_files, class_files, count_classes, locate
from dltrain.data.dataset import Dataset
from dltrain.data.source_file import decode
from dltrain.data.text_column import CELLS_AT_ONCE, TextColumn, TextSpool, in_file

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
    spool, places = TextSpool(), dict[str, int]()
    some: list[str] = []
    guesses: list[str] = []
    for file, content in chosen.read():
        if file in found.classes:
            text, said = read_text(content, file, encoding)
            places[file] = len(places)
            some.append(text)
            guesses += said
            if len(some) == CELLS_AT_ONCE:
                spool.append(pa.array(some, pa.string()))
                some = []
    spool.append(pa.array(some, pa.string()))
    if len(guesses) > GUESSES_SHOWN:
        more = f"encoding: the same of {len(guesses) - GUESSES_SHOWN:,} more files."
        guesses = [*guesses[:GUESSES_SHOWN], more]
    names = list(found.classes)
    cells = pa.chunked_array(spool.chunks())
    texts = TextColumn(cells.chunk(0)) if in_file(cells) else np.array(cells.to_pylist(), dtype=object)
    return Dataset(
        name=stem(location) if name == "texts" else name,
        columns={"text": texts[np.array([places[file] for file in names], np.intp)]},
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
