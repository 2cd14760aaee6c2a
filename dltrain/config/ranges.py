"""Finds numbers that a library accepts but that cannot train, such as a momentum of 1, and what is no number there."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dltrain.config.conformity import BOUNDS


class Range(NamedTuple):
    """The numbers that make sense for a key: the keys of `bounds` are those of `BOUNDS`."""

    bounds: Mapping[str, float]
    words: str


ABOVE_ZERO = Range({"above": 0}, "above 0")
AT_LEAST_ZERO = Range({"minimum": 0}, "of at least 0")
# The most that an index of TensorFlow counts.
SIZE = Range({"minimum": 1, "maximum": 2**31 - 1}, f"from 1 to {2**31 - 1:,}")
THRESHOLDS = Range({"minimum": 2, "maximum": 1_000_000}, "from 2 to 1,000,000")
AT_LEAST_ONE = Range({"minimum": 1}, "of at least 1")
SHARE = Range({"minimum": 0, "below": 1}, "from 0 to below 1")
FRACTION = Range({"minimum": 0, "maximum": 1}, "from 0 to 1")
SHRINKING = Range({"above": 0, "below": 1}, "above 0 and below 1")
FINITE = Range({}, "that is finite")

# Pattern of a key -> its range, for classes of Keras and dltrain alone, since elsewhere a name may mean anything.
RANGES: dict[str, Range] = {
    r"optimizer\.(learning_rate|clipnorm|global_clipnorm|clipvalue|epsilon)": ABOVE_ZERO,
    r"optimizer\.(momentum|beta_1|beta_2|rho|ema_momentum)": SHARE,
    r"optimizer\.(weight_decay|initial_accumulator_value)": AT_LEAST_ZERO,
    r"regularizer\.(kernel|bias)\.(l1|l2)": AT_LEAST_ZERO,
    r"task\.loss\.label_smoothing": SHARE,
    r"task\.loss\.delta": ABOVE_ZERO,
    r"task\.metrics\.\w+\.num_thresholds": THRESHOLDS,
    r"schedule\.factor": ABOVE_ZERO,
    r"schedule\.(rate|warmup_epochs)": AT_LEAST_ZERO,
    r"schedule\.epochs\[\d+\]": AT_LEAST_ONE,
    r"schedule\.final_fraction": FRACTION,
    r"normalization\.momentum": SHARE,
    r"normalization\.epsilon": ABOVE_ZERO,
    r"split\.(minimum_rows|quantiles|gap)": AT_LEAST_ZERO,
    r"scaling\.quantiles": AT_LEAST_ONE,
    r"imputation\.value": FINITE,
    r"model\.(dimension|kernel_size|recurrent_units|blocks|heads)": SIZE,
    r"model\.(filters(\[\d+\])?|(units|kernel_sizes)\[\d+\])": SIZE,
    r"model\.(ensemble|bins|frequencies|numeric_dimension)": SIZE,
    r"(model\.(smoothing|frequency_scale|bound)|scaling\.bound)": ABOVE_ZERO,
    r"schedule\.cycles": AT_LEAST_ONE,
    r"regularization_schedule\.flat": SHARE,
    r"model\.dropout": SHARE,
    r"model\.interpolation": FRACTION,
    r"model\.fine_tune_(layers|epochs)": AT_LEAST_ZERO,
    r"model\.fine_tune_learning_rate": ABOVE_ZERO,
    r"callbacks\.\w+\.(patience|cooldown|min_delta|min_lr|start_from_epoch)": AT_LEAST_ZERO,
    r"callbacks\.early_stopping\.(first_patience|growth|least_steps)": AT_LEAST_ZERO,
    r"callbacks\.convergence\.(gradient_norm|loss_change|weight_change)": ABOVE_ZERO,
    r"callbacks\.\w+\.(every_epochs|every_steps|every_samples)": AT_LEAST_ONE,
    r"callbacks\.\w+\.(histograms|embeddings|augmented|mistakes)": AT_LEAST_ONE,
    r"callbacks\.reduce_on_plateau\.factor": SHRINKING,
    r"search\.sampler\.shrink": SHRINKING,
    r"search\.sampler\.(rounds|candidates)": AT_LEAST_ONE,
}
PATTERNS = [(re.compile(pattern), limits) for pattern, limits in RANGES.items()]


def faults(config: DictConfig) -> Iterator[str]:
    """Yields a sentence for each number out of its range."""
    for key, value in _values(config, ""):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number and not key.startswith("optimizer."):
            continue  # elsewhere a word may stand for a number, and the signature says whether
        if is_number and math.isnan(value):
            yield f"{key}: expected a number, got nan."
            continue
        for pattern, limits in PATTERNS:
            if pattern.fullmatch(key) and not (is_number and math.isfinite(value) and fits(limits, value)):
                # For dropout people think of a share.
                noun = "share" if limits is SHARE and key.endswith("dropout") else "number"
                yield f"{key}: expected a {noun} {limits.words}, got {value}."


def fits(limits: Range, value: float) -> bool:
    """Returns whether a number is within all bounds of a range."""
    return all(BOUNDS[name][0](value, bound) for name, bound in limits.bounds.items())


def _values(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Yields every value but null below a node with its dotted key.

    It leaves out a person's own classes and Hydra's node.
    """
    if isinstance(node, DictConfig):
        target = str(OmegaConf.select(node, "_target_") or "keras.")
        if target.startswith(("keras.", "dltrain.")) and key != "hydra":
            for name in map(str, node):
                yield from _value(node, name, f"{key}.{name}" if key else name)
    elif isinstance(node, ListConfig):
        for position in range(len(node)):
            yield from _value(node, position, f"{key}[{position}]")


def _value(node: Any, name: Any, key: str) -> Iterator[tuple[str, Any]]:
    try:
        value = node[name]
    except OmegaConfBaseException:
        return  # missing, or known only with the data
    if OmegaConf.is_config(value) and value:
        yield from _values(value, key)
    elif value is not None:
        yield key, value
