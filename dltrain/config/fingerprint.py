"""Computes a fingerprint of everything that decides the result of a run, apart from its data."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dltrain.config.moved_paths import original, renamed

# Keys that do not influence the result of a run: what is shown of it and where, and which jobs a sweep runs.
SWEEP_GROUPS = ("hydra", "search", "keep", "extend", "retry_failed")
WITHOUT_INFLUENCE = ("quiet", "verbose", "report", "tracking", *SWEEP_GROUPS)

# Keys that versions before them did without, and the values that stand for what those did. A sweep of such a version
# continues with them, and they leave a fingerprint as it was recorded.
EARLIER_DEFAULTS = {
    "random_streams": 1,
    "search.at_once": "auto",
    "split.quantiles": 0,
    "split.minimum_rows": 0,
    "cv.group_is_feature": None,
    "calibration": None,
    "task.quantiles": None,
    "threshold": None,
    "conformal": None,
    "dataset.column_rules": 1,
    "dataset.quoting": None,
    "dataset.decimal": None,
    "dataset.thousands": None,
    "dataset.category_values": None,
    "dataset.weight": None,
    "dataset.day_first": None,
    "encoding.embedding_above": None,
    "model.bin_edges": "quantile",
    "model.linear_path": False,
    "model.bound": None,
    "model.interpolation": 1.0,
    "model.rarity": False,
    "model.fitted_start": False,
}


def group_of(word: str) -> str:
    """Returns the first part of a key or override: `search` of `+search.seed=1`, `hydra` of `hydra/launcher=ray`."""
    return re.split(r"[=./@:]", word.lstrip("+~"))[0]


def fingerprint(config: DictConfig) -> str:
    """Returns 16 hexadecimal digits of the SHA-256 of the resolved config, independent of the order of its keys.

    Moved paths count as their original ones and earlier defaults do not count, so that recorded ones stay valid.
    """
    nodes = {str(key): node for key, node in config.items_ex(resolve=False) if key not in WITHOUT_INFLUENCE}
    values: dict[str, Any] = {
        key: OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else config[key]
        for key, node in nodes.items()
    }
    for key, value in EARLIER_DEFAULTS.items():
        group, _, name = key.rpartition(".")
        node = values.get(group, {}) if group else values
        if isinstance(node, dict) and name in node and node[name] == value:
            del node[name]
    text = json.dumps(renamed(values, original), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
