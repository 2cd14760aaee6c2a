"""Measures how much each swept key matters: its share of the variance of the value (fANOVA, Hutter et al. 2014)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.ranking import ranked, settings_of, swept_keys

FEWEST_JOBS = 10
MOST_JOBS = 200  # the time grows with their square
WIDE = 50


def importance(entries: Sequence[Entry], way: str) -> dict[str, float]:
    """Returns the share of each swept key, the greatest first; empty for too few jobs or keys, or equal values.

    Of more than MOST_JOBS jobs it takes so many, evenly from the best to the worst.
    """
    scored = ranked(entries, way)
    if len(scored) > MOST_JOBS:  # from the best to the worst
        scored = [scored[place * (len(scored) - 1) // (MOST_JOBS - 1)] for place in range(MOST_JOBS)]
    keys = [key for key in swept_keys(scored) if all(key in settings_of(entry) for entry in scored)]
    if len(scored) < FEWEST_JOBS or len(keys) < 2 or len({entry.value for entry in scored}) == 1:
        return {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    columns = {key: _column([settings_of(entry)[key] for entry in scored]) for key in keys}
    distributions: dict[str, optuna.distributions.BaseDistribution] = {
        key: optuna.distributions.FloatDistribution(float(min(values)), float(max(values)), log=_wide(values))
        if isinstance(values[0], float)
        else optuna.distributions.CategoricalDistribution(sorted(set(map(str, values))))
        for key, values in columns.items()
    }
    study = optuna.create_study(direction="maximize" if way == "max" else "minimize")
    for place, entry in enumerate(scored):
        params = {key: columns[key][place] for key in keys}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=entry.value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {key: round(float(share), 4) for key, share in found.items()}


def _wide(values: Sequence[float | str]) -> bool:
    """Returns whether numbers span so much that their logarithms tell more."""
    low, high = float(min(values)), float(max(values))
    return low > 0 and high / low >= WIDE


def _column(words: Sequence[str]) -> list[float] | list[str]:
    """Returns numbers if all words are; a list of numbers, such as the units of layers, counts with its sum."""
    try:
        return [sum(float(part) for part in word.strip("[]").split(",")) for word in words]
    except ValueError:
        return list(words)
