"""Makes points in a plane whose classes form a shape, or points along a curve, to see what a network learns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.datasets import make_blobs, make_circles, make_moons

from dltrain.base.errors import ConfigError
from dltrain.config.tasks import BINARY, MULTICLASS, REGRESSION
from dltrain.data.arguments import not_among, not_whole, not_within
from dltrain.data.dataset import Array, Dataset

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]
Made = tuple[Floats, Classes]  # places (rows, 2), and the class of each, (rows,)

BANDS = 2  # of stripes, for each class
TURN = 1.5 * np.pi  # of a spiral from its centre to its end


def load(*, name: str, shape: str, rows: int, classes: int | None, noise: float, seed: int) -> Dataset:
    """Makes points; the same arguments, explained in conf/dataset/points.yaml, give the same values.

    Columns are `x_1` and `x_2`, of about -1 to 1 (moons: -1 to 2), and the classes `class_0` …; of a curve the column
    is `x`, from -3 to 3, and the target an amount `y` with a standard deviation of about 0.7.

    Raises:
        ConfigError: If arguments are out of range; all of them are named at once.
    """
    faults = [
        *not_among("shape", shape, (*SHAPES, "curve")),
        *([] if classes is None else not_whole("classes", classes, least=2)),
        *not_within("noise", noise, most=100.0),
        *not_whole("seed", seed, least=0),
    ]
    _, usual, several = SHAPES.get(shape, (_moons, 2, True))
    if not faults and classes is not None and shape == "curve":
        faults.append(f"dataset.classes={classes}: a curve has no classes; expected null.")
    elif not faults and classes is not None and not several and classes != usual:
        others = ", ".join(each for each, (_, _, any_number) in SHAPES.items() if any_number)
        faults.append(f"dataset.classes={classes}: dataset.shape={shape} has {usual}; {others} can have more.")
    count = classes if not faults and classes is not None else usual
    faults += not_whole("rows", rows, least=1 if shape == "curve" else count)
    if faults:
        raise ConfigError(faults)

    columns: dict[str, Array]
    target: dict[str, Array]
    if shape == "curve":
        generator = np.random.default_rng(seed)
        x = generator.uniform(-3, 3, rows)
        columns, target = {"x": x}, {"y": np.sin(2 * x) + noise * generator.standard_normal(rows)}
        task, of = REGRESSION.name, "along a curve"
    else:
        places, found = SHAPES[shape][0](rows, count, noise, seed)
        columns = {"x_1": places[:, 0].copy(), "x_2": places[:, 1].copy()}
        target = {"class": np.array([f"class_{each}" for each in found], dtype=object)}
        task, of = (BINARY if count == 2 else MULTICLASS).name, f"of {count} classes ({shape})"
    return Dataset(
        name=name,
        columns=columns,
        kinds=dict.fromkeys(columns, "numeric"),
        target=target,
        row_ids=np.arange(rows),
        source=f"made-up points: {rows:,} {of}, noise {noise:g}, seed {seed}",
        task=task,
    )


def _moons(rows: int, classes: int, noise: float, seed: int) -> Made:
    made: Made = make_moons(rows, noise=noise, random_state=seed)
    return made


def _circles(rows: int, classes: int, noise: float, seed: int) -> Made:
    made: Made = make_circles(rows, noise=noise, factor=0.5, random_state=seed)
    return made


def _blobs(rows: int, classes: int, noise: float, seed: int) -> Made:
    angles = 2 * np.pi * np.arange(classes) / classes
    centers = np.column_stack([np.cos(angles), np.sin(angles)])
    # Twice the noise of the other shapes: blobs that do not touch say nothing.
    made: Made = make_blobs(rows, centers=centers, cluster_std=2 * noise, random_state=seed)
    return made


def _spirals(rows: int, classes: int, noise: float, seed: int) -> Made:
    generator = np.random.default_rng(seed)
    found = np.arange(rows) % classes
    # The root spreads the points evenly over the length of an arm.
    way = np.sqrt(generator.uniform(0.02, 1, rows))
    angle = TURN * way + 2 * np.pi * found / classes
    places = way[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return places + 0.5 * noise * generator.standard_normal((rows, 2)), found


def _xor(rows: int, classes: int, noise: float, seed: int) -> Made:
    generator = np.random.default_rng(seed)
    places = generator.uniform(-1, 1, (rows, 2))
    found = (places[:, 0] * places[:, 1] > 0).astype(np.int64)
    return places + noise * generator.standard_normal((rows, 2)), found


def _stripes(rows: int, classes: int, noise: float, seed: int) -> Made:
    generator = np.random.default_rng(seed)
    places = generator.uniform(-1, 1, (rows, 2))
    found = np.floor((places[:, 0] + 1) / 2 * BANDS * classes).astype(np.int64) % classes
    return places + 0.5 * noise * generator.standard_normal((rows, 2)), found


# Of each shape: what makes it of rows, classes, noise and seed; how many classes it has; whether it can have others.
SHAPES: dict[str, tuple[Callable[[int, int, float, int], Made], int, bool]] = {
    "moons": (_moons, 2, False),
    "circles": (_circles, 2, False),
    "spirals": (_spirals, 2, True),
    "blobs": (_blobs, 3, True),
    "xor": (_xor, 2, False),
    "stripes": (_stripes, 2, True),
}
