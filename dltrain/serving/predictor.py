"""Converts the rows of a request to predictions of the model."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Sequence
from typing import Any

from dltrain.base.errors import DataError
from dltrain.data.answers import BAR
from dltrain.data.cells import to_arrow
from dltrain.inference.model import Model
from dltrain.inference.row_inputs import RowInputs, spelled
from dltrain.inference.rows import value_rows
from dltrain.inference.unusual import Unusual, beyond

Row = dict[str, Any]


class Predictor:
    """Predicts rows that came as JSON."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.signature = model.signature
        self._known = {column.source: frozenset(column.words) for column in self._of_kind("category")}
        self._images = {column.source for column in self._of_kind("image")}

    def answer(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Returns prediction and probabilities of classes or labels for each row; raises DataError for a bad row."""
        columns = {
            name: [_decode(row[name], name) if name in self._images else row[name] for row in rows]
            for name in self.signature.needed
        }
        block = value_rows(columns.items(), self.model.missing, "the request")
        answers = []
        for _, found in self.model.answered([block], RowInputs(self.signature, refuse=True)):
            named = {name: cells.tolist() for name, cells in self.model.name(found).items()}
            answers += [
                self._answer(dict(zip(named, cells, strict=True))) for cells in zip(*named.values(), strict=True)
            ]
        return answers

    def unknown(self, rows: Sequence[Row]) -> dict[str, Counter[str]]:
        """Counts the categories that no train row has, for each column."""
        found = {}
        for name, known in self._known.items():
            cells = self._cells(rows, name)
            words = Counter(spelled(cells, known, self.signature.by_source[name].reading))
            if strange := Counter({word: count for word, count in words.items() if word and word not in known}):
                found[name] = strange
        return found

    def notes(self, rows: Sequence[Row], ignored: Sequence[str]) -> list[str]:
        """Returns sentences on what is ignored, unknown or outside the range of the train rows."""
        unusual = Unusual(self.signature)
        unusual.ignored = tuple(ignored)
        for name, words in self.unknown(rows).items():
            unusual.count_words(self.signature.by_source[name], words)
        for column in self._of_kind("numeric"):
            unusual.count_beyond(column, beyond(column, self._cells(rows, column.source).to_pylist()))
        return unusual.notes()

    def _cells(self, rows: Sequence[Row], name: str) -> Any:
        return self.model.missing.mark(to_arrow([row[name] for row in rows]), name)

    def _of_kind(self, kind: str) -> list[Any]:
        return [column for column in self.signature.by_source.values() if column.kind == kind]

    def _answer(self, named: dict[str, Any]) -> dict[str, Any]:
        classes = self.signature.classes
        if not classes:
            ends: dict[str, Any] = {key: named[key] for key in ("prediction_low", "prediction_high") if key in named}
            if self.signature.quantiles:
                shares = [f"{share:g}" for share in self.signature.quantiles[1:]]
                ends["quantiles"] = {share: named[f"quantile_{share}"] for share in shares}
            return {"prediction": named["prediction"], "probabilities": None, **ends}
        probabilities = {name: named[f"probability_{name}"] for name in classes}
        labels = self.signature.kind.labels
        prediction = {name: named[f"prediction_{name}"] for name in classes} if labels else named["prediction"]
        found = {"prediction": prediction, "probabilities": probabilities}
        if "prediction_set" in named:
            found["prediction_set"] = named["prediction_set"].split(BAR)
        return found


def _decode(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DataError(f"'{name}' is not base64 of an image.") from None
