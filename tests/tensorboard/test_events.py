from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util.tensor_util import make_ndarray

from dltrain.tensorboard.events import BUCKETS, SMALLEST_SIDE, Events


def read(folder: Path) -> dict[str, tuple[int, Any]]:
    (file,) = folder.iterdir()
    events = list(EventFileLoader(str(file)).Load())
    return {value.tag: (event.step, make_ndarray(value.tensor)) for event in events for value in event.summary.value}


def test_a_point_of_every_curve_stands_at_its_step(tmp_path: Path) -> None:
    events = Events(tmp_path / "run")
    events.scalars({"loss": 0.5, "auc": 0.75}, 3)
    events.close()
    assert read(tmp_path / "run") == {"loss": (3, 0.5), "auc": (3, 0.75)}


def test_a_histogram_counts_every_finite_number(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.histogram("spread", np.array([[0.0, 1.0], [np.nan, 3.0]]), 1)
    events.histogram("huge", np.full(4, 1e30), 1)
    events.histogram("empty", np.array([np.inf]), 1)
    events.close()
    found = {tag: buckets for tag, (_, buckets) in read(tmp_path).items()}
    assert found["spread"].shape == (BUCKETS, 3)
    assert (found["spread"][0, 0], found["spread"][-1, 1], found["spread"][:, 2].sum()) == (0, 3, 3)
    assert found["huge"].tolist() == [[1e30, 1e30, 4]]
    assert found["empty"][:, 2].sum() == 0


def test_small_images_are_enlarged_by_a_whole_factor(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.image("digit", "a 3", np.zeros((8, 10, 2), np.uint8), 0)
    events.close()
    width, height, png = read(tmp_path)["digit"][1]
    assert (int(width), int(height)) == (10 * SMALLEST_SIDE // 8, SMALLEST_SIDE)
    assert png.startswith(b"\x89PNG")
