"""Makes synthetic data of a chosen task and shape whose target depends on the features."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from dltrain.base.errors import ConfigError
from dltrain.config.tasks import TASKS, Task
from dltrain.data.arguments import not_among, not_whole, not_within
from dltrain.data.dataset import Array, Dataset, Kind

Floats = npt.NDArray[np.float64]

SHAPES = ("table", "text", "image")
PROBLEMS = tuple(name for name, task in TASKS.items() if not task.deviation and not task.quantiles)
LEVELS = np.array(["level_0", "level_1", "level_2"], dtype=object)
VOCABULARY = np.array(
    [
        "".join(syllables)
        for syllables in product(("ba", "ke", "lo", "mi", "nu", "sa"), ("dar", "fen", "gol", "lim", "pas"))
    ],
    dtype=object,
)
# In grey levels: one standard deviation of a pattern's strength, and of a pixel's noise.
PATTERN_CONTRAST, PIXEL_NOISE = 40.0, 10.0


def load(
    *,
    name: str,
    kind: str,
    problem: str,
    rows: int,
    numeric_columns: int,
    category_columns: int,
    classes: int,
    missing: float,
    noise: float,
    words: int,
    image_size: int,
    channels: int,
    seed: int,
) -> Dataset:
    """Makes a dataset; the same arguments, explained in conf/dataset/synthetic.yaml, give the same values.

    Columns are `numeric_0` … (standard normal) and `category_0` … (three values), or one `text`, or one `image`.
    Classes are the strings `class_0` …, labels are columns `label_0` … of 0.0 and 1.0.

    Raises:
        ConfigError: If arguments are out of range; all of them are named at once.
    """
    faults = [
        *not_among("kind", kind, SHAPES),
        *not_among("problem", problem, PROBLEMS),
        *not_whole("rows", rows, least=1),
        *not_whole("numeric_columns", numeric_columns, least=0),
        *not_whole("category_columns", category_columns, least=0),
        *not_whole("classes", classes, least=2),
        *not_whole("words", words, least=1),
        *not_whole("image_size", image_size, least=1),
        *not_whole("seed", seed, least=0),
        *not_within("missing", missing, most=1.0),
        *not_within("noise", noise, most=100.0),
    ]
    if channels not in (1, 3):
        faults.append(f"dataset.channels={channels}: expected 1 (grey) or 3 (colour).")
    if kind == "table" and numeric_columns == 0 and category_columns == 0:
        faults.append("dataset.numeric_columns=0 and dataset.category_columns=0: expected a column at least.")
    if faults:
        raise ConfigError(faults)

    generator = np.random.default_rng(seed)
    task = TASKS[problem]
    outputs = task.units or classes
    columns: dict[str, Array]
    kinds: dict[str, Kind]
    if kind == "table":
        columns, kinds, scores = _make_table(generator, rows, numeric_columns, category_columns, outputs)
        for values in columns.values():
            values[generator.random(len(values)) < missing] = "" if values.dtype == object else np.nan
    elif kind == "text":
        texts, scores = _make_texts(generator, rows, words, outputs)
        columns, kinds = {"text": texts}, {"text": "text"}
    else:
        images, scores = _make_images(generator, rows, image_size, channels, outputs)
        columns, kinds = {"image": images}, {"image": "image"}
    return Dataset(
        name=name,
        columns=columns,
        kinds=kinds,
        target=_make_target(task, scores + noise * generator.standard_normal(scores.shape)),
        row_ids=np.arange(rows),
        source=f"made-up data: {rows:,} rows of kind {kind} for {problem}, seed {seed}",
        task=problem,
        target_range=(0.0, 1.0) if task.bounded else None,
    )


def _make_table(
    generator: np.random.Generator, rows: int, numeric: int, categories: int, outputs: int
) -> tuple[dict[str, Array], dict[str, Kind], Floats]:
    """Returns columns, their kinds, and scores of shape (rows, outputs): a linear part plus a nonlinear one."""
    numbers = generator.standard_normal((rows, numeric))
    levels = generator.integers(len(LEVELS), size=(rows, categories))
    columns: dict[str, Array] = {f"numeric_{index}": numbers[:, index].copy() for index in range(numeric)}
    kinds: dict[str, Kind] = dict.fromkeys(columns, "numeric")
    for index in range(categories):
        columns[f"category_{index}"] = LEVELS[levels[:, index]]
        kinds[f"category_{index}"] = "category"
    factors = np.hstack([numbers, np.eye(len(LEVELS))[levels].reshape(rows, -1)])
    linear, bent = generator.standard_normal((2, factors.shape[1], outputs))
    return columns, kinds, _standardized(factors @ linear + np.tanh(factors @ bent))


def _make_texts(generator: np.random.Generator, rows: int, words: int, outputs: int) -> tuple[Array, Floats]:
    """Returns texts and scores; about half of the words do not affect an output, the others raise or lower it."""
    chosen = generator.integers(len(VOCABULARY), size=(rows, words))
    leanings = generator.standard_normal((len(VOCABULARY), outputs))
    leanings *= generator.random(leanings.shape) < 0.5
    texts = np.array([" ".join(line) for line in VOCABULARY[chosen]], dtype=object)
    return texts, _standardized(leanings[chosen].mean(axis=1))


def _make_images(
    generator: np.random.Generator, rows: int, size: int, channels: int, outputs: int
) -> tuple[Array, Floats]:
    """Returns images (rows, size, size, channels) and scores; each output has a pattern as strong as its score."""
    scores = _standardized(generator.standard_normal((rows, outputs)))
    patterns = generator.choice([-1.0, 1.0], size=(outputs, size, size, channels))
    pixels = 127.5 + PATTERN_CONTRAST * np.tensordot(scores, patterns, axes=1)
    pixels += PIXEL_NOISE * generator.standard_normal(pixels.shape)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8), scores


def _make_target(task: Task, scores: Floats) -> dict[str, Array]:
    """Makes target columns from scores of shape (rows, outputs)."""
    if task.labels:
        return {f"label_{index}": (column > 0).astype(np.float64) for index, column in enumerate(scores.T)}
    if task.quantity:
        return {"target": 1 / (1 + np.exp(-scores[:, 0])) if task.bounded else scores[:, 0]}
    classes = scores.argmax(axis=1) if task.several_classes else (scores[:, 0] > 0).astype(int)
    return {"target": np.array([f"class_{index}" for index in classes], dtype=object)}


def _standardized(scores: Floats) -> Floats:
    spread = scores.std(axis=0)
    # A single row, or an output that no word affects, has no spread.
    return np.asarray((scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
