"""Scores the baselines on the parts of a run; jobs of a sweep with the same rows share the result."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.preprocessing.prepared import Prepared
from dltrain.scoring.baselines import baselines
from dltrain.scoring.evaluation import Scores, score

ROWS = 50_000  # train rows that a baseline is fitted on at most
PIXELS = 2**23  # of all these rows together

Found = tuple[dict[str, dict[str, Scores]], dict[str, npt.NDArray[np.float64]]]

MOST_KEPT = 16  # results, such as those of the folds of a cross-validation; keys are hashes of all inputs
_found: OrderedDict[str, Found] = OrderedDict()


def score_baselines(data: Prepared, parts: list[str], metrics: list[Any], seed: int) -> Found:
    """Returns metrics of the baselines by name and part, and their predictions for the last part.

    `parts` begin with train; `seed` draws the train rows if there are too many.
    """
    raw = {part: data.raw(part) for part in parts}
    truth = {part: data.truth(part) for part in parts}
    most = ROWS
    if "image" in data.dataset.kinds.values():
        most = min(most, max(100, PIXELS * 4 // data.preprocessing.bytes_per_row))
    if len(raw["train"]) > most:
        kept = np.random.default_rng(seed).choice(len(raw["train"]), most, replace=False)
        raw["train"], truth["train"] = raw["train"].take(kept), truth["train"].take(kept)
        features = {part: data.preprocessing.transform(dataset) for part, dataset in raw.items()}
    else:
        features = {part: data.features(part) for part in parts}
    target = data.target
    words = (
        target.task,
        target.classes,
        target.quantiles,
        target.offset,
        target.scale,
        sorted(data.dataset.kinds.items()),
    )
    digest = hashlib.sha256(repr((words, [(type(each), each.get_config()) for each in metrics])).encode())
    for part in parts:
        words_too = raw[part].sha256() if "text" in features[part] else ""  # else the features determine the result
        digest.update(f"{part} {words_too} {sorted(features[part])}".encode())
        weights = () if truth[part].weights is None else (truth[part].weights,)
        for values in (truth[part].values, *weights, *(features[part][name] for name in sorted(features[part]))):
            digest.update(f"{values.shape} {values.dtype}".encode())
            digest.update(np.ascontiguousarray(values).data)
    key = digest.hexdigest()
    found = _found.get(key)
    if found is None:
        answers = baselines(
            raw["train"], features["train"], truth["train"], {part: (raw[part], features[part]) for part in parts[1:]}
        )
        found = (
            {name: {part: score(metrics, truth[part], of[part]) for part in parts} for name, of in answers.items()},
            {name: of[parts[-1]] for name, of in answers.items()},
        )
        _found[key] = found
        while len(_found) > MOST_KEPT:
            _found.popitem(last=False)
    scores, last = found
    return {name: {part: dict(each) for part, each in by_part.items()} for name, by_part in scores.items()}, dict(last)
