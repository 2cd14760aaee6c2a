"""A process that fits other libraries' models for `benchmarks/tables.py`: a JSON line in, a JSON line out.

A line names the model, the task, the threads and an .npz file with `numbers` (rows, columns; NaN where missing),
`categories` (rows, columns) of whole numbers, `target`, and the rows `train` and `test`. The model is fitted with the
library's defaults, RealMLP and TabM with median and indicator for what is missing, and `answers` (test rows, units) are
saved beside the file. The process has an environment of its own, with those libraries alone that are asked for.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd

PACKAGES = {"catboost": "catboost", "lightgbm": "lightgbm", "realmlp": "pytabkit", "tabm": "pytabkit"}


def made(name: str, quantity: bool, threads: int, seed: int) -> Any:
    if name == "catboost":
        import catboost

        kind = catboost.CatBoostRegressor if quantity else catboost.CatBoostClassifier
        return kind(random_seed=seed, thread_count=threads, verbose=False, allow_writing_files=False)
    if name == "lightgbm":
        import lightgbm

        kind = lightgbm.LGBMRegressor if quantity else lightgbm.LGBMClassifier
        return kind(random_state=seed, n_jobs=threads, verbose=-1)
    import pytabkit

    kind = getattr(
        pytabkit,
        {"realmlp": "RealMLP_TD", "tabm": "TabM_D"}[name] + ("_Regressor" if quantity else "_Classifier"),
    )
    return kind(device="cpu", random_state=seed, n_threads=threads, val_fraction=0.1)


def fit(asked: dict[str, Any]) -> dict[str, Any]:
    with np.load(asked["data"]) as file:
        numbers, categories, target, train, test = (
            file[name] for name in ("numbers", "categories", "target", "train", "test")
        )
    if PACKAGES[asked["model"]] == "pytabkit":  # which takes no missing numbers
        missing = np.isnan(numbers)
        middle = np.nan_to_num(np.nanmedian(numbers[train], axis=0))
        numbers = np.hstack([np.where(missing, middle, numbers), missing[:, missing[train].any(axis=0)]])
    quantity = asked["task"] == "regression"
    frame = pd.DataFrame(numbers, columns=[f"number_{place}" for place in range(numbers.shape[1])])
    names = [f"category_{place}" for place in range(categories.shape[1])]
    for place, name in enumerate(names):
        # Words, because CatBoost takes no category for a number.
        frame[name] = pd.Categorical([f"v{value}" for value in categories[:, place]])
    if not quantity:
        target = target.astype(np.int64)
    model = made(asked["model"], quantity, asked["threads"], asked["seed"])
    options: dict[str, Any] = {"cat_features": names} if asked["model"] == "catboost" else {}
    used = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame.iloc[train], target[train], **options)
        answers = model.predict(frame.iloc[test]) if quantity else model.predict_proba(frame.iloc[test])
    answers = np.asarray(answers, np.float64).reshape(len(test), -1)
    np.save(asked["answers"], answers[:, 1:] if asked["task"] == "binary" else answers)
    return {"cpu": time.process_time() - used}


def main() -> None:
    found = {}
    for package in sorted(set(PACKAGES.values())):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    answers = sys.stdout
    sys.stdout = sys.stderr  # libraries print what they do
    print(json.dumps(found), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = fit(json.loads(line))
        except Exception as error:  # the other models go on
            answer = {"failed": f"{type(error).__name__}: {str(error).splitlines()[:1]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
