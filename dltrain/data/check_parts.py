"""Checks that no row is in two parts and that all parts come from one distribution."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from dltrain.data.dataset import Dataset
from dltrain.data.finding import Finding, Parts, folds, named_rows
from dltrain.data.storage import release_pages
from dltrain.data.text_column import in_blocks

MOST_ROWS = 50_000  # rows of a part that are compared at most
MOST_COLUMNS = 30
COPIES = 0.01  # share of a part from which copies distort its metrics
MANY, MANY_ROWS = 0.1, 6  # share and number of rows from which equal ones matter, be they copies or not
COARSE = 0.5  # share of equal rows above which a few coarse columns are all there is
DRIFT_ROWS = 1_000
DRIFT_TEXTS = 300
DRIFT_AREA = 0.6
DRIFT_DEVIATIONS = 4.0
FEWEST = 30
IMAGES_AT_ONCE = 1_024
WORDS = 5  # a shorter text may be a stock phrase


def shared_rows(parts: Parts) -> Iterator[Finding]:
    """Finds validation and test rows whose features also occur in train.

    Rows with few and coarse columns can be equal without being copies. Then even more of them are equal in all columns
    but one, and the finding is a note, unless they are many.
    """
    rows = {part: parts.sample(part, MOST_ROWS) for part in parts.raw}
    # Train rows are deduplicated because copies within train are not looked for.
    train = np.unique(cell_hashes(parts.train.take(rows["train"])), axis=0)
    kinds = list(parts.train.kinds.values())
    coarse = [place for place, kind in enumerate(kinds) if kind in ("numeric", "category") and len(kinds) > 1]
    for part in parts.unseen:
        dataset = parts.raw[part].take(rows[part])
        hashes = cell_hashes(dataset)
        copied = _counts(hashes.sum(axis=1), train.sum(axis=1)) > 0
        copied &= _has_content(dataset)
        if not copied.any():
            continue
        alike = np.zeros(len(dataset), dtype=bool)
        for place in coarse[:MOST_COLUMNS]:
            rest = hashes.sum(axis=1) - hashes[:, place]
            alike |= _counts(rest, train.sum(axis=1) - train[:, place]) > copied
        ids, words = named_rows(dataset.row_ids[copied])
        suspicious = copied.sum() > alike.sum() and copied.mean() >= COPIES
        many = copied.sum() >= MANY_ROWS and MANY <= copied.mean() <= COARSE
        yield Finding(
            "rows in two parts",
            "warning" if suspicious or many else "note",
            f"{copied.sum():,} of {len(dataset):,} {part} rows have the features of a train row (rows {words})"
            + (
                f": the {part} metrics look better than they are. Remove copies before the split."
                if suspicious
                else f"; {alike.sum():,} differ from one in a single column."
                + (f" What is learned by heart counts as skill on {part}." if many else "")
            ),
            rows=ids,
        )


def unseen_categories(parts: Parts) -> Iterator[Finding]:
    """Finds categories in validation and test rows that no train row has."""
    for name in parts.named("category"):
        known = parts.levels[name]
        for part in parts.unseen:
            cells = parts.raw[part].columns[name]
            strange = np.flatnonzero(~pd.Index(cells).isin(known) & (cells != ""))
            if not len(strange):
                continue
            words = list(dict.fromkeys(cells[strange]))
            shown = ", ".join(f"'{word[:40]}'" for word in words[:3]) + (", …" if len(words) > 3 else "")
            ids, _ = named_rows(parts.raw[part].row_ids[strange])
            yield Finding(
                "unseen categories",
                "warning" if len(strange) > 0.05 * len(cells) and len(strange) > 2 else "note",
                f"Column '{name}' has values in {part} that no train row has ({shown}, {len(strange):,} of "
                f"{len(cells):,} rows): the model takes them as unknown.",
                columns=(name,),
                rows=ids,
            )


def drift(parts: Parts) -> Iterator[Finding]:
    """Tells whether a classifier can tell the rows of a part from train rows (adversarial validation)."""
    texts = parts.named("text")
    most = DRIFT_TEXTS if texts else DRIFT_ROWS
    train_rows = parts.sample("train", most)
    for part in parts.unseen:
        rows = parts.sample(part, most)
        count, other = len(train_rows), len(rows)
        if min(count, other) < FEWEST:
            continue
        origin = np.repeat([0, 1], [count, other])
        found: list[tuple[float, str]] = []
        numbers, names = parts.numbers("train", train_rows)
        if names:
            features = np.vstack([numbers, parts.numbers(part, rows)[0]]).astype(np.float32)
            tree = DecisionTreeClassifier(
                max_depth=4, min_samples_leaf=10, class_weight="balanced", random_state=parts.seed
            )
            area = _area(tree, features, origin, parts.seed)
            found.append((area, names[int(tree.feature_importances_.argmax())]))
        for name in texts:
            cells = np.concatenate([parts.train.columns[name][train_rows], parts.raw[part].columns[name][rows]])
            counts = HashingVectorizer(n_features=2**12).transform(cells)
            found.append(
                (_area(LogisticRegression(class_weight="balanced", tol=1e-2), counts, origin, parts.seed), name)
            )
        if not found:
            continue
        area, column = max(found)
        # The standard deviation of the area under chance (Hanley & McNeil 1982).
        deviation = np.sqrt((count + other + 1) / (12 * count * other))
        if area > DRIFT_AREA and area - 0.5 > DRIFT_DEVIATIONS * deviation:
            yield Finding(
                "drift between parts",
                "note" if parts.in_time else "warning",
                f"A classifier tells {part} rows from train rows (AUC {area:.2f}, 0.5 by chance), above all by "
                f"'{column}': the {part} metrics are of other data than the model learned from.",
                columns=(column,),
            )


def _area(model: Any, features: Any, origin: npt.NDArray[Any], seed: int) -> float:
    """Returns the AUC of out-of-fold probabilities, and leaves the model fitted on two thirds of the rows."""
    answers = np.zeros(len(origin))
    for held in folds(origin, seed):
        model.fit(features[~held], origin[~held])
        answers[held] = model.predict_proba(features[held])[:, 1]
    return float(roc_auc_score(origin, answers))


def cell_hashes(dataset: Dataset) -> npt.NDArray[np.uint64]:
    """Hashes each cell, shape (rows, columns); rows with the same features have the same sum."""
    columns = []
    images = {name for name, kind in dataset.kinds.items() if kind == "image"}
    for place, name in enumerate(dataset.columns):
        cells = _digests(dataset, name) if name in images else dataset.columns[name]
        factor = np.uint64(pow(0x9E3779B97F4A7C15, place + 1, 2**64))
        found = [pd.util.hash_array(block, categorize=False) for block in in_blocks(cells)]
        columns.append(np.concatenate(found) * factor)
    return np.column_stack(columns)


def _digests(dataset: Dataset, name: str) -> npt.NDArray[Any]:
    """Returns a digest of each image of a column, shape (rows,); images are read some at a time."""
    found: list[bytes] = []
    for rows in np.array_split(np.arange(len(dataset)), max(1, len(dataset) // IMAGES_AT_ONCE)):
        found += [
            hashlib.md5(image.tobytes(), usedforsecurity=False).digest() for image in dataset.take(rows).columns[name]
        ]
        release_pages()
    return np.array(found, dtype=object)


def _counts(wanted: npt.NDArray[np.uint64], known: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """Counts how often each wanted number occurs among the known ones."""
    known = np.sort(known)
    return np.searchsorted(known, wanted, "right") - np.searchsorted(known, wanted, "left")


def _has_content(dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Marks the rows, shape (rows,), that hold more than an empty cell, a stock phrase or a blank image."""
    has_content = np.zeros(len(dataset), dtype=bool)
    for name, cells in dataset.columns.items():
        if dataset.kinds[name] == "text":
            has_content |= np.array([len(str(cell).split()) >= WORDS for cell in cells], dtype=bool)
        elif dataset.kinds[name] == "image":
            has_content |= cells.reshape(len(cells), math.prod(cells.shape[1:])).std(axis=1) > 0
        elif len(dataset.columns) > 1:
            has_content |= True
    return has_content
