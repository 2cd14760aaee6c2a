"""A model of images gives raw files the answers that the run gave them, whatever their size and colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dltrain
from dltrain.api.evaluation import evaluate as run_evaluation
from dltrain.cli.main import main

QUICK = ("score_test=always", "callbacks=learning_rate", "quiet=true", "trainer.epochs=1", "model.filters=[2]")


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a class with grey and colour files of many sizes, a broken one, and pets.csv that names them."""
    root = tmp_path_factory.mktemp("pets")
    generator = np.random.default_rng(0)
    rows = []
    for place in range(40):
        animal = ["cat", "dog"][place % 2]
        height, width = generator.integers(6, 20, 2)
        shape = (height, width) if place % 3 else (height, width, 3)
        pixels = generator.integers(0, 128, shape) + (100 if animal == "dog" else 0)
        name = f"{animal}/{place:02}.{['png', 'jpg', 'bmp', 'gif'][place % 4]}"
        (root / animal).mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(root / name)
        rows.append({"file": name, "weight": generator.normal(), "animal": animal})
    (root / "dog" / "broken.png").write_bytes(b"broken")
    pd.DataFrame(rows).to_csv(root / "pets.csv", index=False)
    pd.DataFrame([*rows, {"file": "dog/broken.png", "weight": 0.0, "animal": "dog"}]).to_csv(
        root / "all.csv", index=False
    )
    return root


def test_a_folder_of_images(pets: Path, run_in: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_in(tmp_path / "run", "dataset=images", f"dataset.path={pets}", "dataset.size=[9,7]", *QUICK)
    expected = pd.read_csv(run.path / "predictions.csv", index_col="row_id").sort_index()
    assert len(expected) == 40
    assert any("dog/broken.png" in note for note in run.json("run.json")["notes"])
    assert main(["predict", str(run.path), "--input", str(pets), "--output", str(tmp_path / "out.csv")]) == 0
    assert "no prediction of 1 row, since the image cannot be read: dog/broken.png (it is" in capsys.readouterr().err
    found = pd.read_csv(tmp_path / "out.csv", index_col="row_id").sort_index()
    assert found.loc["dog/broken.png"].isna().all()
    found = found.drop("dog/broken.png")
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found["probability_dog"], expected["probability_dog"], rtol=1e-6, atol=1e-6)
    # model.keras alone takes bytes as arrays.
    model = keras.models.load_model(run.path / "model.keras", safe_mode=True)
    assert model.input["image"].shape == (None, 9, 7, 3)
    assert model.input["image"].dtype == "uint8"


def test_a_table_with_a_column_of_paths(
    pets: Path, run_in: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("dataset=csv", f"dataset.path={pets / 'all.csv'}", "dataset.target=animal", "dataset.size=8")
    run = run_in(tmp_path / "run", *words, "model=cnn", *QUICK)
    notes = " ".join(run.json("run.json")["notes"])
    assert "image: file." in notes
    assert "skipped 1 image that cannot be read: dog/broken.png" in notes
    expected = pd.read_csv(run.path / "predictions.csv", index_col="row_id").sort_index()
    assert list(expected.index) == list(range(40))
    output = tmp_path / "out.csv"
    assert main(["predict", str(run.path), "--input", str(pets / "pets.csv"), "--output", str(output)]) == 0
    found = pd.read_csv(output)["probability_dog"]
    np.testing.assert_allclose(found, expected["probability_dog"], rtol=1e-6, atol=1e-6)
    # In Python paths begin at the current directory, and arrays do as well.
    frame = pd.read_csv(pets / "pets.csv").head(3)
    monkeypatch.chdir(pets)
    model = dltrain.load(run.path)
    np.testing.assert_allclose(model.predict(frame)["probability_dog"], found[:3], rtol=1e-6, atol=1e-6)
    capsys.readouterr()
    lines = tmp_path / "out.jsonl"
    assert main(["predict", str(run.path), "--input", str(pets / "all.csv"), "--output", str(lines)]) == 0
    assert "no prediction of 1 row, since the image cannot be read: all.csv line 42" in capsys.readouterr().err
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert answers[40] == {"row_id": 40, "prediction": None, "probability_cat": None, "probability_dog": None}
    np.testing.assert_allclose([row["probability_dog"] for row in answers[:40]], found, rtol=1e-6, atol=1e-6)
    evaluation = run_evaluation(model, str(pets / "all.csv"))
    assert evaluation.rows == 40
    assert any("no prediction of 1 row" in note for note in evaluation.notes)


def test_keys_of_images_have_no_effect_on_a_table_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"x": np.arange(30) / 7, "y": np.arange(30) % 2}).to_csv("plain.csv", index=False)
    assert main(["dataset=csv", "dataset.path=plain.csv", "dataset.target=y", "dataset.size=8"]) == 2
    assert "dataset.size has no effect: dataset plain has no column of kind image" in capsys.readouterr().err
    assert main(["dataset=csv", "dataset.path=plain.csv", "dataset.target=y", "+dataset.kinds.x=image"]) == 2
    assert "30 of 30 images in column 'x' cannot be read" in capsys.readouterr().err
