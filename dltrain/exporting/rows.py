"""Converts raw rows to inputs of model.onnx or model.tflite, and outputs to predictions. Needs NumPy alone.

    import onnxruntime
    from rows import to_answers, to_inputs

    session = onnxruntime.InferenceSession("model.onnx")
    rows = [{"age": 30, "sex": "male"}]
    print(to_answers(session.run(None, to_inputs(rows))[0]))

columns.json beside this file lists the columns: cells are taken as in the training data, whose words for a missing one
it has too. A missing number is NaN; words of a category, a text or a date become their position in `words`, counted
from 2, with 0 for a missing and 1 for an unknown one. A column with `made` is made from the columns that it names, by
recipe.py.
"""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = json.loads((Path(__file__).parent / "columns.json").read_text("utf-8"))
PUNCTUATION = re.compile(rb"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']")
MARKS = {"": "", "point": ".", "comma": ",", "blank": " \u00a0\u2007\u2009\u202f", "apostrophe": "'\u2019"}
MISSING = COLUMNS["missing"]
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"^([+-]?\d+)\.0*$", re.ASCII)
IDS = {column["name"]: {word: n + 2 for n, word in enumerate(column["words"])} for column in COLUMNS["columns"]}

if any("made" in column for column in COLUMNS["columns"]):
    from recipe import Recipe  # is beside this file if there is such a column


def to_inputs(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns an array of shape (rows, ...) for each column; a missing value in a row is None."""
    return {column["name"]: to_array(column, to_cells(column, rows)) for column in COLUMNS["columns"]}


def to_cells(column: dict[str, Any], rows: list[dict[str, Any]]) -> list[Any]:
    """Returns the cells of one column, None for a missing one, made from others if it has a recipe."""
    if column["kind"] == "image":
        return [row[column["name"]] for row in rows]
    if "made" not in column:
        return [to_present(row[column["name"]]) for row in rows]
    cells = [[to_present(row[name]) for row in rows] for name in column["made"]["columns"]]
    made: list[Any] = Recipe(**column["made"]).make(cells)
    return made


def to_array(column: dict[str, Any], cells: list[Any]) -> Any:
    """Returns the cells of one column as the array that the model takes."""
    if column["kind"] == "numeric":
        numbers = [to_number(cell, column.get("numbers", {})) for cell in cells]
        return np.array(numbers, dtype=column["dtype"]).reshape(-1, 1)
    if column["kind"] == "image":
        return np.stack(cells).astype(column["dtype"])
    ids = IDS[column["name"]]
    words = ["" if cell is None else to_word(cell, column) for cell in cells]
    if column["kind"] == "category":
        found = [0 if word == "" else ids.get(word, 1) for word in words]
        return np.array(found, dtype=column["dtype"]).reshape(-1, 1)
    array = np.zeros((len(cells), column["length"]), dtype=column["dtype"])
    for place, word in enumerate(words):
        by_character = column.get("split") == "character"
        terms = [*word.lower()] if by_character else split(word, column["ngrams"])
        found = [ids.get(term, 1) for term in terms][: column["length"]]
        array[place, : len(found)] = found
    return array


def to_present(cell: Any) -> Any:
    """Returns None for a missing cell, and text without blanks around it."""
    number = cell
    if isinstance(cell, str):
        cell = cell.strip()
        number = float(cell) if NUMBER.fullmatch(cell) else None
        if cell in MISSING["words"]:
            return None
    absent = cell is None or cell != cell or (not isinstance(cell, bool) and number in MISSING["numbers"])
    return None if absent else cell


def to_word(cell: Any, column: dict[str, Any]) -> str:
    """Returns a cell as the training data spells it."""
    if isinstance(cell, str):
        # The words of older runs are not composed.
        text: str = unicodedata.normalize("NFC", cell) if "spelling" in column else cell
        if column.get("spelling") == "truth" and text.lower() in ("true", "false"):
            return text.capitalize()
        return WHOLE.sub(r"\1", text) if column.get("spelling") == "whole" else text
    word = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    if column["kind"] != "category" or word in IDS[column["name"]] or isinstance(cell, bool):
        return word
    # 7 may be "007" in the training data.
    same: list[str] = [known for known in column["words"] if NUMBER.fullmatch(known) and float(known) == cell]
    return same[0] if len(same) == 1 else word


def to_number(cell: Any, written: dict[str, str]) -> Any:
    """Returns a number, NaN for a missing one, from a number or from text with the marks of `written`."""
    if cell is None:
        return np.nan
    if not isinstance(cell, str):
        return cell
    for mark in MARKS[written.get("thousands", "")] + written.get("sign", ""):
        cell = cell.replace(mark, "")
    return float(cell.replace(MARKS[written.get("decimal", "point")], ".").replace("\u2212", "-").replace(" ", ""))


def split(text: str, ngrams: int) -> list[str]:
    """Splits a text into terms: words in lower case (of ASCII) without punctuation, then pairs, and so on."""
    words = PUNCTUATION.sub(b"", text.encode().lower()).split()
    terms = [b" ".join(words[n : n + width]) for width in range(1, ngrams + 1) for n in range(len(words) - width + 1)]
    return [term.decode(errors="replace") for term in terms]


def to_answers(outputs: Any) -> list[dict[str, Any]]:
    """Returns the prediction for each row of outputs (rows, units), and the probability of each class or label.

    With `conformal`, a quantity has prediction_low and prediction_high too, and a class prediction_set.
    """
    classes, threshold, conformal = COLUMNS["classes"], COLUMNS["threshold"], COLUMNS.get("conformal")
    answers: list[dict[str, Any]] = []
    for row in np.asarray(outputs, dtype=np.float64):
        if not classes:
            answers.append({"prediction": float(row[0])})
            quantiles = COLUMNS.get("quantiles", [])
            answers[-1] |= {
                f"quantile_{share:g}": float(each) for share, each in zip(quantiles[1:], row[1:], strict=False)
            }
            if conformal and quantiles:
                low, high = row.min() - conformal["quantile"], row.max() + conformal["quantile"]
                answers[-1] |= {"prediction_low": float(min(low, row[0])), "prediction_high": float(max(high, row[0]))}
            elif conformal:
                half = conformal["quantile"] * (row[1] if COLUMNS["task"] == "gaussian_regression" else 1.0)
                answers[-1] |= {"prediction_low": float(row[0] - half), "prediction_high": float(row[0] + half)}
            continue
        shares = [1 - row[0], row[0]] if COLUMNS["task"] == "binary" else row
        probabilities = dict(zip(classes, map(float, shares), strict=True))
        if COLUMNS["task"] == "multilabel":
            prediction: Any = [name for name in classes if probabilities[name] > threshold]
        elif COLUMNS["task"] == "binary":
            prediction = classes[int(row[0] > threshold)]
        else:
            prediction = classes[int(np.argmax(row))]
        answers.append({"prediction": prediction, "probabilities": probabilities})
        if conformal:
            most = max(probabilities.values())
            within = {name: 1 - each <= conformal["quantile"] or each == most for name, each in probabilities.items()}
            answers[-1]["prediction_set"] = [name for name, holds in within.items() if holds]
    return answers
