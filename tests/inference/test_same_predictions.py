"""What a run predicted of its table it predicts of the same rows everywhere: in a file, frame or request, exported."""

from __future__ import annotations

import gzip
import json
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from dltrain.cli.main import main
from dltrain.exporting.export import export, load_companion
from dltrain.inference.model import Model
from dltrain.inference.row_inputs import RowInputs
from dltrain.inference.rows import frame_rows

pytestmark = pytest.mark.slow

QUICK = ("score_test=always", "model=linear", "trainer.epochs=1", "callbacks=learning_rate", "quiet=true")
ROWS = 60


@dataclass(frozen=True)
class Case:
    """A file and the words that train on it; the frame holds the cells as they stand in the file."""

    suffix: str
    words: tuple[str, ...] = ()
    typed: bool = False  # whether the file has types, so that numbers and dates are no words in it
    header: bool = True
    separator: str = ","
    decimal: str = "."


MARKED = ("dataset.id_column=code", "dataset.weight=heavy", "dataset.missing_values=['?','-999']")
KINDS = ("dataset.kinds={zip: category, grade: category, version: text, size: text}",)
CASES = {
    "csv": Case("csv", (*MARKED, *KINDS)),
    "semicolons": Case("csv", MARKED, separator=";", decimal=","),
    "tsv": Case("tsv", ("dataset.missing_values=['?','-999']",), header=False, separator="\t"),
    "csv.gz": Case("csv.gz", (*MARKED, *KINDS), separator="|", decimal=","),
    "zip": Case("zip", MARKED),
    "parquet": Case("parquet", (*MARKED, *KINDS), typed=True),
    "feather": Case("feather", MARKED, typed=True),
    "jsonl": Case("jsonl", (*MARKED, *KINDS)),
    "typed jsonl": Case("jsonl", (*MARKED, *KINDS), typed=True),
    "xlsx": Case("xlsx", (*MARKED, *KINDS), typed=True),
    "arff": Case("arff", MARKED, typed=True),
}


def table(case: Case) -> pd.DataFrame:
    """Cells as people have them: 60 rows of each kind of column."""
    generator = np.random.default_rng(0)
    price = np.round(generator.normal(3000, 900, ROWS), 2)
    price[::9] = -999
    day = pd.Timestamp("2021-01-05") + pd.to_timedelta(generator.integers(0, 900, ROWS), unit="D")
    frame = pd.DataFrame(
        {
            "code": [f"{place:04}" for place in range(ROWS)],
            "price": price,
            "size": generator.choice([1.0, 2.0, 2.5, 30.0], ROWS),
            "count": pd.array(generator.integers(0, 9, ROWS), "Int64"),
            "grade": generator.choice([1.0, 2.0, 3.0], ROWS),
            "zip": generator.choice(["00123", "00456", "789"], ROWS),
            "good": generator.choice([True, False], ROWS),
            "colour": generator.choice(["red", " blue ", "na\u00efve", "nai\u0308ve", "NA", "?", 'say "x", y'], ROWS),
            "version": generator.choice(["1.0", "2.0", "10.0"], ROWS),
            "day": day,
            "heavy": generator.choice([0.5, 1.0, 2.0], ROWS),
            "y": price / 1000 + generator.normal(size=ROWS),
        }
    )
    if case.typed:
        return frame.assign(day=day.strftime("%Y-%m-%d")) if case.suffix in {"jsonl", "arff"} else frame
    frame["day"] = day.strftime("%d/%m/%Y")
    frame["heavy"] = frame["heavy"].astype(str)
    for name in ("price", "size", "grade", "y", "heavy"):
        thousands = "" if case.decimal == "." else "."
        cells = [f"{float(cell):,.2f}" if name == "price" else str(cell) for cell in frame[name]]
        marks = str.maketrans({",": thousands, ".": case.decimal})
        frame[name] = [cell if cell == "-999.00" else cell.translate(marks) for cell in cells]
    return frame.astype(object)


def write(frame: pd.DataFrame, case: Case, folder: Path) -> Path:
    path = folder / f"table.{case.suffix}"
    if case.suffix == "parquet":
        frame.assign(colour=frame["colour"].astype("category")).to_parquet(path)
    elif case.suffix == "feather":
        frame.to_feather(path)
    elif case.suffix == "xlsx":
        frame.to_excel(path, index=False)
    elif case.suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(frame)), encoding="utf-8")
    elif case.suffix == "arff":
        path.write_text(_arff(frame), encoding="utf-8")
    else:
        text = frame.to_csv(index=False, sep=case.separator, header=case.header)
        if case.suffix == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("table.csv", text)
        else:
            path.write_bytes(gzip.compress(text.encode()) if case.suffix == "csv.gz" else text.encode())
    return path


def _arff(frame: pd.DataFrame) -> str:
    numeric = {name for name in frame if pd.api.types.is_numeric_dtype(frame[name]) and name != "good"}
    head = [f"@attribute {name} {'numeric' if name in numeric else 'string'}" for name in frame]
    rows = [
        ",".join(str(row[name]) if name in numeric else f"'{row[name]}'" for name in frame) for row in rows_of(frame)
    ]
    return "\n".join(["@relation t", *head, "@data", *rows]) + "\n"


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them."""
    return [{name: _plain(cell) for name, cell in row.items()} for row in frame.to_dict("records")]


def _plain(cell: Any) -> Any:
    if isinstance(cell, pd.Timestamp):
        return cell.isoformat()
    return cell.item() if isinstance(cell, np.generic) else cell


class Trained:
    """A run, its table, and what it predicted of each row."""

    def __init__(self, case: Case, run_in: Any, folder: Path) -> None:
        self.case, self.folder, self.frame = case, folder, table(case)
        self.path = write(self.frame, case, folder)
        target = "y" if case.header else f"column_{len(self.frame.columns)}"
        given = ("dataset=csv", f"dataset.path={self.path}", f"dataset.target={target}")
        given += () if case.header else ("dataset.header=false",)
        self.run = run_in(folder / "run", *given, *case.words, *QUICK).path
        if not case.header:
            self.frame.columns = [f"column_{place}" for place in range(1, len(self.frame.columns) + 1)]
        self.model = Model(self.run)

    def recorded(self) -> npt.NDArray[np.float64]:
        return self.in_order(self.run / "predictions.csv")

    def in_order(self, path: Path) -> npt.NDArray[np.float64]:
        found = pd.read_csv(path).sort_values("row_id")
        assert len(found) == ROWS
        return found["prediction"].to_numpy(np.float64)


@pytest.fixture(scope="module", params=CASES)
def trained(request: Any, run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(CASES[request.param], run_in, tmp_path_factory.mktemp("same"))


def test_a_file(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "p.csv"
    assert main(["predict", str(trained.run), "--input", str(trained.path), "--output", str(output)]) == 0
    np.testing.assert_allclose(trained.in_order(output), trained.recorded(), atol=1e-6)


def test_a_frame(trained: Trained) -> None:
    found = quiet(trained.model, trained.frame)
    np.testing.assert_allclose(found, trained.recorded(), atol=1e-6)
    readers = {"parquet": pd.read_parquet, "feather": pd.read_feather, "xlsx": pd.read_excel, "csv": pd.read_csv}
    if trained.case.suffix in readers and trained.case.separator == ",":
        again = quiet(trained.model, readers[trained.case.suffix](trained.path))  # whose types are those of pandas
        np.testing.assert_allclose(again, trained.recorded(), atol=1e-6)


def quiet(model: Model, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.predict(frame)["prediction"].to_numpy(np.float64)


def test_a_request(trained: Trained) -> None:
    pytest.importorskip("httpx2", reason="FastAPI's test client needs httpx2")
    from fastapi.testclient import TestClient

    from dltrain.serving.app import make_app

    with TestClient(make_app(trained.model, max_rows=100, max_bytes=1 << 20, wait=0.0)) as client:
        answer = client.post("/predict", json={"rows": rows_of(trained.frame)})
    assert answer.status_code == 200, answer.text
    found = [row["prediction"] for row in answer.json()["rows"]]
    np.testing.assert_allclose(found, trained.recorded(), atol=1e-6)
    row_inputs = RowInputs(trained.model.signature)
    row_inputs.inputs(frame_rows(trained.frame, trained.model.missing))
    assert [note for note in answer.json()["notes"] if "ignored" not in note] == [
        note for note in row_inputs.notes() if "ignored" not in note
    ]


def test_exported(trained: Trained, tmp_path: Path) -> None:
    import tensorflow as tf

    export(trained.model, "saved_model", tmp_path / "saved")
    served = tf.saved_model.load(tmp_path / "saved" / "model").signatures["serving_default"]
    rows = frame_rows(trained.frame, trained.model.missing)
    found = next(iter(served(**RowInputs(trained.model.signature).inputs(rows)).values())).numpy()
    np.testing.assert_allclose(trained.model.name(found)["prediction"], trained.recorded(), atol=1e-6)


def test_exported_with_its_companion(trained: Trained, tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx", reason="needs the extra `export`")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    export(trained.model, "onnx", tmp_path / "onnx")
    companion = load_companion(tmp_path / "onnx" / "rows.py")
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model.onnx", providers=["CPUExecutionProvider"])
    answers = companion.to_answers(session.run(None, companion.to_inputs(rows_of(trained.frame)))[0])
    np.testing.assert_allclose([each["prediction"] for each in answers], trained.recorded(), atol=1e-5)
