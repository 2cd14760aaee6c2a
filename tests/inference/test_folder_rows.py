"""A finished run reads folders and archives of classes as its training did, through every verb."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import dltrain
from dltrain.api.evaluation import evaluate
from dltrain.base.errors import DataError
from dltrain.cli.main import main
from dltrain.inference.folder_rows import folder_rows
from dltrain.serving.app import make_app

QUICK = ("score_test=always", "callbacks=learning_rate", "quiet=true", "trainer.epochs=1", "report=false")
FORMS = ("folder", "zip", "tar.gz")


def encoded(level: int, place: int) -> tuple[str, bytes]:
    """An image in one of several formats, with its suffix."""
    pixels = np.random.default_rng(place).integers(0, 128, (6 + place % 3, 7, 3)) + level
    file_format, suffix = [("PNG", "png"), ("JPEG", "JPG"), ("TIFF", "tiff"), ("WEBP", "webp")][place % 4]
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, file_format)
    return suffix, stream.getvalue()


def pictures() -> dict[str, bytes]:
    found = {}
    for place in range(24):
        suffix, content = encoded(100 * (place % 2), place)
        found[f"{['cats', 'dogs'][place % 2]}/cam{place % 3}/{place}.{suffix}"] = content
    whole = found["cats/cam0/0.png"]
    return found | {
        "cats/.ipynb_checkpoints/0.png": whole,
        "dogs/._1.jpg": b"x",
        "dogs/cut.png": whole[:60],
        "a.md": b"",
    }


def letters() -> dict[str, bytes]:
    found = {
        f"{['neg', 'pos'][place % 2]}/{'more/' * (place % 3)}{place}.{['txt', 'TXT'][place % 4 // 2]}":
        f"{['schlecht', 'schön'][place % 2]} {place}".encode("cp1252")
        for place in range(24)
    }  # fmt: skip
    return found | {
        "neg/empty.txt": b"  ",
        ".ipynb_checkpoints/1.txt": b"no",
        "neg/.2.txt": b"no",
        "pos/note.md": b"no",
    }


def pack(files: dict[str, bytes], path: Path) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in files.items():
                packed.writestr(name, content)
    elif path.suffix == ".gz":
        with tarfile.open(path, "w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    else:
        for name, content in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    return path


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    root = tmp_path_factory.mktemp("packed")
    kinds: dict[str, Callable[[], dict[str, bytes]]] = {"images": pictures, "texts": letters}
    return {(kind, form): pack(make(), root / f"{kind}.{form}") for kind, make in kinds.items() for form in FORMS}


@pytest.fixture(scope="module")
def runs(packed: Any, run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run for each kind, trained on the folder."""
    root = tmp_path_factory.mktemp("runs")
    words = {
        "images": ("dataset.size=[5,6]", "model.filters=[2]"),
        "texts": ("dataset.encoding=cp1252", "model=text_bag"),
    }
    return {
        kind: run_in(root / kind, f"dataset={kind}", f"dataset.path={packed[kind, 'folder']}", *words[kind], *QUICK)
        for kind in words
    }


def expected(run: Any) -> pd.DataFrame:
    return pd.read_csv(run.path / "predictions.csv", index_col="row_id").sort_index()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["images", "texts"])
def test_predict_on_the_training_files_equals_predictions(
    packed: Any, runs: Any, kind: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.parquet"
    assert main(["predict", str(runs[kind].path), "--input", str(packed[kind, form]), "--output", str(output)]) == 0
    found = pd.read_parquet(output).set_index("row_id").sort_index()
    right = expected(runs[kind])
    told = capsys.readouterr().err
    assert "skipped 2 hidden files: " in told
    assert "skipped 1 file whose suffix is of no" in told
    if kind == "images":
        assert "no prediction of 1 row, since the image cannot be read: dogs/cut.png" in told
        assert found.loc["dogs/cut.png"].isna().all()
        found = found.drop("dogs/cut.png")
    assert list(found.index) == list(right.index)
    assert (found["prediction"] == right["prediction"]).all()
    for name in [name for name in right if name.startswith("probability_")]:
        np.testing.assert_allclose(found[name], right[name], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["images", "texts"])
def test_evaluate_reads_the_classes_of_the_folders(packed: Any, runs: Any, kind: str, form: str) -> None:
    found = evaluate(dltrain.load(runs[kind].path), str(packed[kind, form]))
    right = expected(runs[kind])
    assert found.rows == len(right)
    assert found.metrics["accuracy"]["value"] == pytest.approx((right["prediction"] == right["target"]).mean())


def test_load_and_serve_take_the_same_files(packed: Any, runs: Any) -> None:
    run, folder = runs["images"], packed["images", "folder"]
    right = expected(run)
    model = dltrain.load(run.path)
    paths = [str(folder / name) for name in right.index]
    found = model.predict(pd.DataFrame({"image": paths}))
    np.testing.assert_allclose(found["probability_dogs"], right["probability_dogs"], rtol=1e-6, atol=1e-6)
    with pytest.warns(UserWarning, match=r"no prediction of 1 row, .* the data frame row 2"):
        found = model.predict(pd.DataFrame({"image": [paths[0], str(folder / "dogs/cut.png")]}))
    assert found["prediction"].isna().tolist() == [False, True]
    with TestClient(make_app(model, max_rows=100, max_bytes=10**7, wait=0.0)) as client:
        rows = [{"image": base64.b64encode(Path(path).read_bytes()).decode()} for path in paths[:3]]
        answers = client.post("/predict", json={"rows": rows}).json()["rows"]
        dogs = [row["probabilities"]["dogs"] for row in answers]
        np.testing.assert_allclose(dogs, right["probability_dogs"][:3], rtol=1e-6, atol=1e-6)
        cut = base64.b64encode((folder / "dogs/cut.png").read_bytes()).decode()
        refused = client.post("/predict", json={"rows": [*rows, {"image": cut}]})
        assert refused.status_code == 422
        assert "row 4 is not an image that can be read" in json.dumps(refused.json())


def test_a_single_file_and_one_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / ".hidden.TXT"
    file.write_text("words")
    (rows,) = folder_rows(file, "text", "t", encoding=None, target=None)
    assert (rows.columns["t"].to_pylist(), rows.names) == (["words"], [".hidden.TXT"])
    with pytest.raises(DataError, match="a device; expected a file"):
        list(folder_rows(Path("/dev/zero"), "images", "i", encoding=None, target=None))
