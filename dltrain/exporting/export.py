"""Exports a run's model to another runtime and compares the runtime's predictions with the original's."""

from __future__ import annotations

import importlib.util
import json
import re
import secrets
import shutil
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from dltrain.base.distribution import install
from dltrain.base.errors import ConfigError, DataError, DltrainError, RunError
from dltrain.base.files import PART
from dltrain.data import recipe
from dltrain.data.dates import EXAMPLES
from dltrain.exporting.numeric_part import cut_lookups, in_32_bits
from dltrain.exporting.raw_inputs import save_with_raw_inputs
from dltrain.inference.model import Model
from dltrain.inference.overlap import run_dataset
from dltrain.internals.tensorflow_quietly import standard_error_held
from dltrain.record.signature import Column

COMPANION = Path(__file__).with_name("rows.py")  # copied beside the exported model, not imported here
RECIPE = Path(recipe.__file__)  # rows.py makes columns with it
TOLERANCE = 1e-4  # of a probability, or in standard deviations of a quantity
ROWS = 256
STRANGE = "A word, that no train-row had: “ÄÖ” <b>!"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Exported:
    """An exported model and how many rows, from where, it was compared on.

    `difference` is the largest one of an output; a quantity's is in units of its standard deviation.
    """

    path: Path
    rows: int
    which: str
    difference: float


def export(model: Model, file_format: str, output: Path) -> Exported:
    """Exports a model and compares it with the original; the folder appears when both are done.

    `file_format` is saved_model, onnx or tflite; `output` is the folder to make.

    Raises:
        ConfigError: If the folder exists, or a package is missing.
        RunError: If the format cannot hold the model, or its predictions differ.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ConfigError(f"'{output}' exists already. Take it away, or name another folder with --output.")
    rows, which = _rows(model)
    expected = model.answer(_tensors(_dtypes(model.network), _with_made(model, rows)))
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = output.with_name(f"{PART}{secrets.token_hex(6)}.{output.name}")
    try:
        folder.mkdir()
        with warnings.catch_warnings(), standard_error_held():
            # NumPy's aliases and the announced move of the TFLite interpreter concern the converters, not the user.
            warnings.simplefilter("ignore")
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
    """Writes the files and returns what they predict for the rows."""
    if file_format == "saved_model":
        try:
            dtypes = save_with_raw_inputs(model.network, model.signature.made, folder / "model")
        except ValueError as error:  # a signature cannot hold every name of a column
            raise RunError(f"saved_model cannot carry this model: {str(error).splitlines()[0]}") from error
        _write_columns(model, folder, {}, dtypes)
        served = tf.saved_model.load(folder / "model").signatures["serving_default"]
        return np.asarray(next(iter(served(**_tensors(dtypes, rows)).values())))
    part, lookups = cut_lookups(model.network)
    if file_format == "tflite":
        part = in_32_bits(part)
    _write_columns(model, folder, lookups, _dtypes(part))
    shutil.copyfile(COMPANION, folder / COMPANION.name)
    if model.signature.made:
        shutil.copyfile(RECIPE, folder / RECIPE.name)
    inputs = load_companion(folder / "rows.py").to_inputs(rows)
    return _onnx(part, folder, inputs) if file_format == "onnx" else _tflite(part, folder, inputs)


def _onnx(part: Any, folder: Path, inputs: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    for package in ("onnx", "tf2onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise ConfigError(f"--format onnx needs {package}: {install('export')}.")
    import onnxruntime

    path = folder / "model.onnx"
    try:
        part({name: tf.constant(cells[:1]) for name, cells in inputs.items()})  # export needs a model that was called
        part.export(path, format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, inputs)[0])
    except DltrainError:
        raise
    except Exception as error:  # converter and runtime raise many kinds for a graph that they do not support
        reason = str(error).splitlines()[0]
        raise RunError(f"onnx cannot carry this model, saved_model can: {reason}") from error


def _tflite(part: Any, folder: Path, inputs: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    path = folder / "model.tflite"
    try:
        part.export(path, format="litert", verbose=False)
        runner = tf.lite.Interpreter(str(path)).get_signature_runner("serving_default")
        return np.asarray(next(iter(runner(**inputs).values())))
    except Exception as error:
        operation = re.search(r"\bFlex([A-Z]\w+)|'tf\.(\w+)' op", str(error))  # of the interpreter, of the converter
        name = operation and (operation[1] or operation[2])
        why = f"it has no operation {name}" if name else str(error).splitlines()[0]
        raise RunError(f"tflite cannot carry this model: {why}. saved_model and onnx may.") from error


def _write_columns(model: Model, folder: Path, lookups: dict[str, dict[str, Any]], dtypes: dict[str, str]) -> None:
    """Writes columns.json: every input of the model, and how rows.py makes it."""
    signature = model.signature
    known = {column.name: column for column in signature.columns}
    columns = []
    for name, dtype in dtypes.items():
        column = known.get(name) or Column(name, "text" if dtype == "string" else "numeric", name)
        about: dict[str, Any] = {"name": name, "kind": column.kind, "dtype": dtype, "words": list(column.words)}
        about |= lookups.get(name, {})
        if column.reading is not None:
            about |= {"numbers": asdict(column.reading.numbers), "spelling": column.reading.spelling}
        if column.shape:
            about["shape"] = list(column.shape)
        if name in signature.made:
            about["made"] = asdict(signature.made[name])
        columns.append(about)
    content: dict[str, Any] = {"task": signature.task, "classes": list(signature.classes)}
    content |= {"threshold": signature.threshold, "conformal": signature.conformal}
    content["quantiles"] = list(signature.quantiles)
    content["missing"] = {"words": list(model.missing.words), "numbers": list(model.missing.numbers)}
    text = json.dumps({**content, "target": list(signature.target), "columns": columns}, ensure_ascii=False, indent=2)
    (folder / "columns.json").write_text(text + "\n", encoding="utf-8")


def load_companion(path: Path) -> Any:
    """Imports the rows.py that stands beside an exported model."""
    spec = importlib.util.spec_from_file_location("exported_rows", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))  # as a user of the folder imports it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def _rows(model: Model) -> tuple[Rows, str]:
    """Returns rows to compare on: validation rows, else train rows, and made-up rows for what those may lack."""
    made_up = _made_up(model)
    try:
        dataset, parts = run_dataset(model.record)
    except Exception:  # a person's own loader may raise anything
        return made_up, "made up from the signature: the run's data cannot be loaded"
    part = "validation" if "validation" in parts else "train"
    some = dataset.take(parts[part][:ROWS])
    columns = {name: cells for name, cells in some.columns.items() if name not in model.signature.made}
    columns |= {name: some.other_columns[name] for name in _only_in_source(model)}
    real: Rows = [{name: _cell(cells[place]) for name, cells in columns.items()} for place in range(len(some))]
    return real + made_up, f"{len(real)} {part} rows, {len(made_up)} made up"


def _made_up(model: Model) -> Rows:
    """Makes rows of extreme numbers, of unknown words, and of missing cells."""
    rows: Rows = []
    for number, word in (("minimum", 0), ("maximum", -1), ("median", None)):
        row: dict[str, Any] = dict.fromkeys(_only_in_source(model), STRANGE)
        for column in model.signature.columns:
            if column.name in model.signature.made:
                continue
            if column.kind == "numeric":
                row[column.name] = getattr(column, number)
            elif column.kind == "image":
                row[column.name] = np.random.default_rng(0).integers(0, 256, column.shape, dtype=np.uint8)
            elif column.kind == "date" and column.reading:
                row[column.name] = EXAMPLES[column.reading.dates]
            elif column.words and word is not None:
                row[column.name] = column.words[word]
            else:
                row[column.name] = STRANGE
        rows.append(row)
    rows.append({name: None if not isinstance(cell, np.ndarray) else cell for name, cell in rows[0].items()})
    return rows


def _cell(cell: Any) -> Any:
    if isinstance(cell, np.ndarray):
        return cell
    if isinstance(cell, str):
        return cell or None
    return None if np.isnan(cell) else float(cell)


def _only_in_source(model: Model) -> list[str]:
    """Returns the columns that the model's columns are made from and that the model does not take itself."""
    sources = [name for each in model.signature.made.values() for name in each.columns]
    return [name for name in sources if name not in model.network.input]


def _with_made(model: Model, rows: Rows) -> Rows:
    made = {
        name: each.make([[row[source] for row in rows] for source in each.columns])
        for name, each in model.signature.made.items()
    }
    return [row | {name: cells[place] for name, cells in made.items()} for place, row in enumerate(rows)]


def _dtypes(network: Any) -> dict[str, str]:
    return {name: each.dtype for name, each in network.input.items()}


def _tensors(dtypes: dict[str, str], rows: Rows) -> dict[str, Any]:
    tensors = {}
    for name, dtype in dtypes.items():
        cells = [row[name] for row in rows]
        if dtype == "string":
            tensors[name] = tf.constant([[cell or ""] for cell in cells])
        elif dtype == "uint8":
            tensors[name] = tf.constant(np.stack(cells))
        else:
            tensors[name] = tf.constant([[np.nan if cell is None else cell] for cell in cells], dtype)
    return tensors
