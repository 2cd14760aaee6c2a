"""Loads the Large Movie Review Dataset (Maas et al. 2011): 25,000 + 25,000 film reviews with their ratings."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.base.notes import counted, some
from dltrain.base.regular_file import find, is_reachable
from dltrain.config.tasks import BINARY, UNIT_REGRESSION
from dltrain.data.archive import read_files
from dltrain.data.dataset import Array, Dataset
from dltrain.data.storage import cached_table, data_directory, download, fingerprint

URL = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
# Also recorded by TensorFlow Datasets (imdb_reviews/checksums.tsv) and Hugging Face (imdb/dataset_infos.json).
SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"

ARCHIVES = ("aclImdb_v1.tar.gz", "aclImdb_labeled_50k.tar.gz")
OFFICIAL_ROWS = {"train": 25_000, "test": 25_000}
SENTIMENTS = {"neg": "negative", "pos": "positive"}
TARGETS = ("sentiment", "rating")
# Part of the key of cached files; to be raised when the parsed table changes.
PARSER = "imdb_2"

_MEMBER = re.compile(r"(?:^|/)(train|test)/(neg|pos|unsup)/([^/.][^/]*)\.txt$")
_FILE_NAME = re.compile(r"(\d+)_(10|[1-9])")


def load(*, name: str, path: str | None, target: str) -> Dataset:
    """Loads the reviews from the archive or its folder; downloads the archive if there is none.

    `path` is a .tar or .tar.gz, an unpacked folder, or a folder that holds one of them; None looks in the data
    directory first. `target` is `sentiment` ("negative" or "positive") or `rating` (1 to 10). The training part comes
    first, then the official test part, each negative before positive and by number; reviews keep their HTML tags.
    """
    if target not in TARGETS:
        raise ConfigError(f"dataset.target={target}: no such target.{did_you_mean(target, TARGETS)}")
    location = _locate(path)
    table = cached_table(f"{PARSER}_{fingerprint(location)}", partial(_parse_reviews, location))
    return _dataset(name, location, target, table)


def _dataset(name: str, location: Path, target: str, table: pa.Table) -> Dataset:
    test_rows = np.asarray(table["test"].to_numpy(), dtype=np.bool_)
    rows = {"train": int(np.sum(~test_rows)), "test": int(np.sum(test_rows))}
    if target == "sentiment":
        values: Array = np.where(table["positive"].to_numpy(), SENTIMENTS["pos"], SENTIMENTS["neg"]).astype(object)
    else:
        values = table["rating"].to_numpy().astype(np.float64)
    notes = json.loads(table.schema.metadata[b"notes"])
    if rows != OFFICIAL_ROWS:
        notes.append(f"The official data has 25,000 + 25,000 reviews; here are {rows['train']:,} + {rows['test']:,}.")
    return Dataset(
        name=name,
        columns={"review": table["review"].to_numpy()},
        kinds={"review": "text"},
        target={target: values},
        row_ids=table["row_id"].to_numpy(),
        source=f"Large Movie Review Dataset from {location}: "
        f"{rows['train']:,} training and {rows['test']:,} test reviews",
        test_rows=test_rows if rows["test"] else None,
        task=(BINARY if target == "sentiment" else UNIT_REGRESSION).name,
        target_range=(1.0, 10.0) if target == "rating" else None,
        notes=tuple(notes),
    )


def _locate(path: str | None) -> Path:
    """Returns the archive or unpacked folder to read; downloads the archive if no path is given and none is found."""
    if path is not None:
        given = find(path, key="dataset.path", expected=f"archive {ARCHIVES[0]} or folder", folder=True)
        found = given if given.is_file() else _search([given])
        if found is None:
            raise DataError(
                f"dataset.path={path}: expected an archive {ARCHIVES[0]} or a folder with train/pos, "
                f"train/neg, test/pos and test/neg; {given} has neither."
            )
        return found
    folder = data_directory() / "imdb"
    found = _search([folder, data_directory()])
    if found is not None:
        return found
    remedy = f" Put the file {ARCHIVES[0]} in {folder}, or set dataset.path to where it is."
    return download(URL, SHA256, folder / ARCHIVES[0], remedy)


def _search(folders: list[Path]) -> Path | None:
    """Returns the best source in these folders: unpacked reviews, else an archive."""
    for name in (".", "aclImdb", *ARCHIVES):
        for folder in folders:
            candidate = folder / name
            if is_reachable(candidate) and (candidate.is_file() or is_reachable(candidate / "train" / "pos")):
                return candidate
    return None


def _parse_reviews(location: Path) -> pa.Table:
    """Parses all labelled reviews in fixed order into the columns review, positive, rating, test, row_id."""
    reviews: dict[tuple[bool, bool, int], tuple[str, float, str]] = {}
    unlabelled, others = 0, []

    def is_labelled(name: str) -> bool:
        nonlocal unlabelled
        found = _MEMBER.search(name)
        if found is None:
            others.append(name)
            return False
        unlabelled += found[2] == "unsup"
        return found[2] != "unsup"

    for member, content in read_files(location, is_labelled):
        part, label, stem = cast("re.Match[str]", _MEMBER.search(member)).groups()
        parsed = _FILE_NAME.fullmatch(stem)
        if parsed is None:
            raise DataError(f"{location}: expected a file name NUMBER_RATING.txt with a rating 1 to 10, got {member}.")
        number, rating = int(parsed[1]), float(parsed[2])
        key = (part == "test", label == "pos", number)
        if key in reviews:
            raise DataError(f"{location}: two reviews have the number {number} in {part}/{label}, one is {member}.")
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{location}: {member} is not UTF-8 text (byte {error.start}: {error.reason}).") from None
        reviews[key] = (text, rating, f"{part}/{label}/{stem}")
    if not any(not test for test, _, _ in reviews):
        raise DataError(f"{location} has no labelled reviews: expected files such as train/pos/127_7.txt in it.")
    notes = [f"Skipped {unlabelled:,} reviews without a label (train/unsup)."] if unlabelled else []
    if others:
        notes.append(f"Skipped {counted(len(others), 'file')} that are not reviews: {some(others)}.")
    keys = sorted(reviews)
    texts, ratings, row_ids = zip(*(reviews[key] for key in keys), strict=True)
    tests, positives, _ = zip(*keys, strict=True)
    columns = {"review": texts, "positive": positives, "rating": ratings, "test": tests, "row_id": row_ids}
    return pa.table(columns).replace_schema_metadata({"notes": json.dumps(notes)})
