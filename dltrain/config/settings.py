"""Flattens a config to `key: value` and finds the keys in which runs differ."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dltrain.config.fingerprint import WITHOUT_INFLUENCE

# Two runs do not count as different if only these differ, since they do not change what is trained.
NOT_COMPARED = frozenset({*WITHOUT_INFLUENCE, "score_test"})
_REFERENCE = re.compile(r"\$\{[\w.]+\}")


def flat(node: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested mappings as `{"trainer.epochs": 300, …}`; a list is one value."""
    found: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def settings_of(config: DictConfig) -> dict[str, Any]:
    """Returns every setting of a composed config, resolved, without those that only refer to another key."""
    written: Any = OmegaConf.to_container(config, resolve=False)
    resolved: Any = OmegaConf.to_container(config, resolve=True)
    return without_repeats(flat(written), flat(resolved))


def without_repeats(written: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings without those that were written as `${another.key}`."""
    repeats = [key for key, value in written.items() if isinstance(value, str) and _REFERENCE.fullmatch(value)]
    return {
        key: value
        for key, value in resolved.items()
        if not any(key == repeat or key.startswith(f"{repeat}.") for repeat in repeats)
    }


def choices_of(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the chosen option of each group, without Hydra's own groups and those that follow from others."""
    return {str(group): option for group, option in choices.items() if not re.search("^hydra/|@", str(group))}


def differing(runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[str]:
    """Returns the groups and keys in which runs differ; `runs` holds the choices and settings of each.

    A key of a group is compared only among runs that chose the same option of the group: that Adam has a `beta_1` and
    SGD has none follows from `optimizer`.
    """
    options = [{group: str(option) for group, option in choices.items()} for choices, _ in runs]
    groups = list(dict.fromkeys(group for choices in options for group in choices if group not in NOT_COMPARED))
    found = [group for group in groups if len({choices[group] for choices in options if group in choices}) > 1]
    keys = dict.fromkeys(key for _, settings in runs for key in settings)
    for key in keys:
        group = key.partition(".")[0]
        values = [settings.get(key) for _, settings in runs]
        if group in NOT_COMPARED or key in groups or values.count(values[0]) == len(values):
            continue
        chosen = [choices.get(group) for choices in options]
        if len(set(zip(chosen, map(repr, values), strict=True))) > len(set(chosen)):
            found.append(key)
    return found
