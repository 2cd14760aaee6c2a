"""Loads wines of three cultivars of one region with 13 chemical measurements."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_wine

from dltrain.config.tasks import MULTICLASS
from dltrain.data.dataset import Dataset
from dltrain.data.table import input_names


def load(*, name: str) -> Dataset:
    """Loads 178 wines with 13 numeric columns and the classes class_0, class_1 and class_2."""
    wine = load_wine()
    names = input_names(wine.feature_names)
    renamed = [f"renamed: {old} to {new} (no '/' in an input's name)." for old, new in names.items() if old != new]
    return Dataset(
        name=name,
        columns={
            names[old]: wine.data[:, position].astype(np.float64) for position, old in enumerate(wine.feature_names)
        },
        kinds=dict.fromkeys(names.values(), "numeric"),
        target={"cultivar": wine.target_names.astype(object)[wine.target]},
        row_ids=np.arange(len(wine.data)),
        source=f"{len(wine.data)} wines and {len(names)} measurements of UCI's 'Wine' (scikit-learn's copy)",
        task=MULTICLASS.name,
        notes=tuple(renamed),
        source_names={new: old for old, new in names.items() if old != new},
    )
