"""Writes a run's model for another runtime, and has that runtime prove that it says the same."""

from __future__ import annotations

import importlib.util
import json
import secrets
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.errors import ConfigError, DataError, DltrainError, RunError
from dltrain.exporting.numeric_part import cut_lookups, in_32_bits
from dltrain.inference.model import Model
from dltrain.inference.overlap import run_dataset
from dltrain.tensorflow_quietly import standard_error_held

COMPANION = Path(__file__).with_name("rows.py")  # goes beside what it is copied to, and is not imported here
TOLERANCE = 1e-4  # of a probability, or of the spread of a quantity
ROWS = 256

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        path: the folder.
        rows: how many rows were compared, and which those were.
        which: where these rows are from.
        difference: the largest difference of a score; a quantity's in units of its spread.
    """

    path: Path
    rows: int
    which: str
    difference: float


def export(model: Model, file_format: str, output: Path) -> Exported:
    """Exports a model and compares it with the original; the folder appears when both is done.

    Args:
        model: of a finished run.
        file_format: saved_model, onnx or tflite.
        output: the folder to make.

    Raises:
        ConfigError: the folder exists, or a package is missing.
        RunError: the format cannot carry the model, or its scores differ.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"'{output}' exists already. Take it away, or name another folder with --output.")
    rows, which = _rows(model)
    expected = model.answer(_tensors(model, rows))
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = output.with_name(f".part-{secrets.token_hex(6)}.{output.name}")
    try:
        folder.mkdir()
        with _library_warnings_off():
            found = _write_and_run(model, file_format, folder, rows)
        difference = float(np.abs(found - expected).max()) / max(1.0, model.signature.scale)
        if not difference <= TOLERANCE:  # NaN counts as a difference
            raise RunError(
                f"{file_format}: the exported model's scores differ from the run's by {difference:.2g} on {len(rows)} "
                f"rows ({which}); expected at most {TOLERANCE:g}. Nothing is kept."
                + (" Its 32 bits may be too few; use onnx." if file_format == "tflite" else "")
            )
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        if output.is_dir():
            output.rmdir()
        folder.rename(output)
    except OSError as error:
        raise DataError(f"'{output}' cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Exported(output, len(rows), which, difference)


def _write_and_run(model: Model, file_format: str, folder: Path, rows: Rows) -> npt.NDArray[Any]:
    """Writes the files and gives the scores of the rows through them."""
    if file_format == "saved_model":
        model.network.export(folder / "model", format="tf_saved_model", verbose=False)
        _write_columns(model, folder, {}, {name: each.dtype for name, each in model.network.input.items()})
        served = tf.saved_model.load(folder / "model").signatures["serving_default"]
        return np.asarray(next(iter(served(**_tensors(model, rows)).values())))
    part, lookups = cut_lookups(model.network)
    if file_format == "tflite":
        part = in_32_bits(part)
    _write_columns(model, folder, lookups, {name: each.dtype for name, each in part.input.items()})
    shutil.copyfile(COMPANION, folder / "rows.py")
    inputs = _load_companion(folder / "rows.py").to_inputs(rows)
    return _onnx(part, folder, inputs) if file_format == "onnx" else _tflite(part, folder, inputs)


def _onnx(part: Any, folder: Path, inputs: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    for package in ("onnx", "tf2onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise ConfigError(f"--format onnx needs {package}: pip install 'dltrain[export]'.")
    import onnxruntime

    path = folder / "model.onnx"
    try:
        part({name: tf.constant(cells[:1]) for name, cells in inputs.items()})  # export wants one that was called
        part.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, inputs)[0])
    except DltrainError:
        raise
    except Exception as error:  # converter and runtime raise many kinds, all saying that the graph is beyond them
        reason = str(error).splitlines()[0]
        raise RunError(f"onnx cannot carry this model, saved_model can: {reason}") from error


def _tflite(part: Any, folder: Path, inputs: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    path = folder / "model.tflite"
    try:
        part.export(path, format="litert", verbose=False)
        runner = tf.lite.Interpreter(str(path)).get_signature_runner("serving_default")
        return np.asarray(next(iter(runner(**inputs).values())))
    except Exception as error:
        raise RunError(f"tflite cannot carry this model: {str(error).splitlines()[0]}") from error


def _write_columns(model: Model, folder: Path, lookups: dict[str, dict[str, Any]], dtypes: dict[str, str]) -> None:
    signature = model.signature
    columns = [
        {"name": column.name, "kind": column.kind, "dtype": dtypes[column.name], "words": list(column.words)}
        | lookups.get(column.name, {})
        | ({"shape": list(column.shape)} if column.shape else {})
        | ({"made_from": list(signature.made_from[column.name])} if column.name in signature.made_from else {})
        for column in signature.columns
    ]
    content = {"task": signature.task, "classes": list(signature.classes), "threshold": signature.threshold}
    text = json.dumps({**content, "target": list(signature.target), "columns": columns}, ensure_ascii=False, indent=2)
    (folder / "columns.json").write_text(text + "\n", encoding="utf-8")


def _load_companion(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("exported_rows", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rows(model: Model) -> tuple[Rows, str]:
    """Rows to compare on: those that validated, and some that have what those may lack."""
    made_up = _made_up(model)
    try:
        dataset, parts = run_dataset(model.record)
    except DltrainError:
        return made_up, "made up from the signature: the run's data cannot be loaded"
    some = dataset.take(parts["validation"][:ROWS])
    real: Rows = [{name: _cell(cells[place]) for name, cells in some.columns.items()} for place in range(len(some))]
    return real + made_up, f"{len(real)} validation rows, {len(made_up)} made up"


def _made_up(model: Model) -> Rows:
    """Rows of the ends of each number, of unknown words, and with nothing at all."""
    rows: Rows = []
    for number, word in (("minimum", 0), ("maximum", -1), ("median", None)):
        row: dict[str, Any] = {}
        for column in model.signature.columns:
            if column.kind == "numeric":
                row[column.name] = getattr(column, number)
            elif column.kind == "image":
                row[column.name] = np.random.default_rng(0).integers(0, 256, column.shape, dtype=np.uint8)
            elif column.words and word is not None:
                row[column.name] = column.words[word]
            else:
                row[column.name] = "A word, that no train-row had: “ÄÖ” <b>!"
        rows.append(row)
    rows.append({name: None if not isinstance(cell, np.ndarray) else cell for name, cell in rows[0].items()})
    return rows


def _cell(cell: Any) -> Any:
    if isinstance(cell, np.ndarray):
        return cell
    if isinstance(cell, str):
        return cell or None
    return None if np.isnan(cell) else float(cell)


def _tensors(model: Model, rows: Rows) -> dict[str, Any]:
    tensors = {}
    for name, each in model.network.input.items():
        cells = [row[name] for row in rows]
        if each.dtype == "string":
            tensors[name] = tf.constant([[cell or ""] for cell in cells])
        elif each.dtype == "uint8":
            tensors[name] = tf.constant(np.stack(cells))
        else:
            tensors[name] = tf.constant([[np.nan if cell is None else cell] for cell in cells], each.dtype)
    return tensors


@contextmanager
def _library_warnings_off() -> Iterator[None]:
    with warnings.catch_warnings(), standard_error_held():
        # NumPy's aliases and the coming move of the TFLite interpreter are the converters' own matter.
        warnings.simplefilter("ignore")
        yield
