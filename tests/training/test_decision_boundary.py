"""The answer while a network learns: what is recorded, the picture of it, and the slider in the report."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.record.record import Record
from dltrain.report import decision_boundary

WORDS = ("callbacks=[default,decision_boundary]", "dataset.missing=0.0", "model.units=[3]", "trainer.epochs=3")
NAMED = "callbacks.decision_boundary"


def cells(plane: str) -> Any:
    return np.frombuffer(base64.b64decode(plane), np.uint8)


@pytest.fixture(scope="module")
def run(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_in(tmp_path_factory.mktemp("boundary"), *WORDS, "report=true", f"{NAMED}.columns=[numeric_1,category_0]")


def test_each_epoch_is_recorded_with_the_answers_and_the_first_units(run: Any) -> None:
    found = run.json("decision_boundary.json")
    assert [frame["epoch"] for frame in found["frames"]] == [0, 1, 2, 3]
    assert [axis["name"] for axis in found["axes"]] == ["numeric_1", "category_0"]
    assert set(found["held"]) == {"numeric_0", "numeric_2", "numeric_3", "category_1"}
    for frame in found["frames"]:
        (answers,) = map(cells, frame["answers"])
        assert len(answers) == 48 * 3
        assert [len(cells(unit)) for unit in frame["units"]] == [20 * 3] * 3
        assert all(cells(unit).min() >= 127 for unit in frame["units"])  # after the ReLU
    first, last = (found["frames"][place]["answers"] for place in (0, -1))
    assert first != last


def test_answers_are_those_of_the_model_that_is_kept(run: Any) -> None:
    import dltrain

    found = run.json("decision_boundary.json")
    kept = next(frame for frame in found["frames"] if frame["epoch"] == found["kept"])
    axis, other = found["axes"]
    row = {**found["held"], axis["name"]: axis["high"], other["name"]: other["words"][0]}
    probability = dltrain.load(run.path).predict(row)[f"probability_{found['classes'][1]}"].iloc[0]
    assert cells(kept["answers"][0])[47] / 255 == pytest.approx(probability, abs=0.003)


def test_report_has_the_slider_the_picture_and_no_script_but_its_own(run: Any) -> None:
    page = (run.path / "report.html").read_text()
    assert (run.path / "plots/decision_boundary.svg").exists()
    assert "script-src 'sha256-" in page
    assert 'type="range"' in page
    assert "val_loss" in decision_boundary.recorded(Record(run.path))["frames"][1]


@pytest.mark.parametrize(("classes", "axes"), [(0, 1), (0, 2), (2, 1), (3, 1), (3, 2)])
def test_picture_of_amounts_and_of_classes_over_one_column_and_two(classes: int, axes: int) -> None:
    both, cells = axes == 2, 4 if axes == 2 else 12
    plane: Any = (
        base64.b64encode(bytes(range(0, 160, 10))).decode() if both else [0.1 * place for place in range(cells)]
    )
    lines = 1 if classes < 3 else 2 if both else 3
    if both and classes == 3:
        plane = base64.b64encode(bytes([0, 1, 2, 1] * 4)).decode()
    frame = {"answers": [plane] * lines, "units": []}
    found = {
        "axes": [{"name": f"x_{place}", "low": -1.0, "high": 1.0} for place in range(axes)],
        "cells": cells,
        "held": {},
        "target": "y",
        "classes": [f"class_{place}" for place in range(classes)],
        "range": [0.0, 2.0],
        "points": {"places": [[0.0, None, 0.5]] * axes, "target": [0.0, 1.0, 1.0]},
        "kept": 2,
        "frames": [{**frame, "epoch": epoch} for epoch in (0, 1, 2)],
    }
    picture = decision_boundary.picture(found)
    assert "before the training" in picture.template
    assert "epoch 2, kept" in picture.template
    assert picture.message.startswith("What the network answers for y over 'x_0'")


def test_wrong_epochs_and_labels_are_refused(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of("model=linear", "callbacks=[decision_boundary]", f"{NAMED}.epochs=[0]")
    with pytest.raises(ConfigError, match=r"epochs: expected 1 to 59 whole numbers above 0"):
        train_stage(stage, tmp_path / "epochs")
    stage = stage_of("model=linear", "callbacks=[decision_boundary]", "dataset.problem=multilabel")
    with pytest.raises(ConfigError, match=r"expected a task of one answer, got several labels"):
        train_stage(stage, tmp_path / "labels")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_slider_moves_by_the_keyboard_and_paints(run: Any) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto((run.path / "report.html").as_uri())
        said = []
        for key in ("Home", "ArrowRight", "End"):
            page.locator("#boundary-panel input").press(key)
            said.append(page.locator("#boundary-panel output").inner_text())
        painted = page.evaluate(
            "[...document.querySelectorAll('#boundary-panel canvas')].map(each => new Set("
            "each.getContext('2d').getImageData(0, 0, each.width, each.height).data).size)"
        )
        browser.close()
    assert told == []
    assert [words.split(",")[0] for words in said] == ["before the training", "epoch 1", "epoch 3"]
    assert painted[0] > 20
    assert len(painted) == 4
