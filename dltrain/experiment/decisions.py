"""Fits what follows the network on rows that it did not train on: calibration, threshold, intervals and sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from dltrain.base.errors import DataError
from dltrain.base.plain_table import digits, number
from dltrain.config.seed import Seed
from dltrain.data import conformal as conformals
from dltrain.data.answers import THRESHOLD
from dltrain.data.conformal import Conformal
from dltrain.data.targets import Target
from dltrain.models.calibrated import with_curves, with_temperature
from dltrain.scoring import calibration as calibrations
from dltrain.scoring.calibration import LEAST_ROWS, Calibration, calibration_error, log_losses
from dltrain.scoring.coverage import coverage
from dltrain.scoring.threshold import choose

Answers = npt.NDArray[np.floating[Any]]
KEYS = ("calibration", "threshold", "conformal")


@dataclass(frozen=True)
class HeldOut:
    """Rows that the network did not train on, with its predictions (rows, units)."""

    name: str  # validation, or out of fold
    truth: Target
    answers: Answers


@dataclass(frozen=True)
class Decisions:
    """What follows the network; without any of it, everything is as the network gives it."""

    rows: int = 0  # those that all of it is fitted on
    fitted_on: str = ""  # validation, or out of fold
    calibration: Calibration | None = None
    threshold: float = THRESHOLD
    criterion: DictConfig | None = None  # the node `threshold`, if the threshold was chosen
    conformal: Conformal | None = None

    @property
    def fitted(self) -> list[str]:
        """What was fitted, in words."""
        named = {
            "calibration": self.calibration is not None,
            "threshold": self.criterion is not None,
            "intervals": self.conformal is not None,
        }
        return [name for name, has in named.items() if has]

    @property
    def recalibrates(self) -> bool:
        """Whether probabilities are other ones than those of the network."""
        return self.calibration is not None and self.calibration.method != "none"

    def joined_to(self, model: keras.Model, target: Target) -> keras.Model:
        """Returns a model with the calibration behind it."""
        if self.calibration is None or self.calibration.method == "none":
            return model
        if self.calibration.method == "temperature":
            return with_temperature(model, target.kind, self.calibration.temperature)
        return with_curves(model, target.kind, self.calibration.curves)

    def applied(self, answers: Mapping[str, Answers], target: Target) -> dict[str, npt.NDArray[np.float32]]:
        """Returns calibrated predictions (rows, units) by part, as the joined model gives them."""
        inputs = keras.Input((target.units,), name="answers")
        model = self.joined_to(keras.Model(inputs, keras.layers.Identity()(inputs)), target)
        return {part: np.asarray(model(np.asarray(given, np.float32)), np.float32) for part, given in answers.items()}

    def as_json(
        self, parts: Mapping[str, Target], before: Mapping[str, Answers], after: Mapping[str, Answers]
    ) -> dict[str, Any]:
        """Returns the entry `decisions` of metrics.json, from the truth and the predictions of each part.

        `before` are the predictions of the network, `after` the calibrated ones.
        """
        if not self.fitted:
            return {}
        entry: dict[str, Any] = {"fitted_on": self.fitted_on, "rows": self.rows, "fitted": self.fitted}
        if self.calibration is not None:
            entry["calibration"] = {"method": self.calibration.method} | (
                {"temperature": self.calibration.temperature} if self.calibration.method == "temperature" else {}
            )
            for name, answers in (("before", before), ("after", after)):
                entry["calibration"][name] = {
                    part: {
                        "log_loss": truth.mean(log_losses(truth, answers[part])),
                        "calibration_error": calibration_error(truth, answers[part]),
                    }
                    for part, truth in parts.items()
                }
        if self.criterion is not None:
            entry["threshold"] = {"value": self.threshold, **{str(key): self.criterion[key] for key in self.criterion}}
            if self.criterion.criterion == "cost":
                entry["threshold"]["cost_per_row"] = {
                    name: {part: self._cost(truth, after[part], value) for part, truth in parts.items()}
                    for name, value in (("chosen", self.threshold), ("at_half", THRESHOLD))
                }
        if self.conformal is not None:
            entry["conformal"] = self.conformal.as_json()
            for part, truth in parts.items():
                entry["conformal"][part] = coverage(self.conformal, truth, after[part])
        return entry

    def _cost(self, truth: Target, answers: Answers, threshold: float) -> float:
        assert self.criterion is not None
        chosen, true = answers[:, 0] > threshold, truth.values == 1
        alarms, missed = chosen & ~true, ~chosen & true
        return truth.mean(
            self.criterion.false_positive_cost * alarms + self.criterion.false_negative_cost * missed.astype(float)
        )


def refuse_too_few(config: DictConfig, rows: int, name: str) -> None:
    """Refuses to fit on fewer rows than that takes, before the training; `name` says which rows these are.

    Raises:
        DataError: With the number that is needed.
    """
    method = None if config.get("calibration") is None else config.calibration.method
    needed = (
        {f"calibration={method}": LEAST_ROWS.get("temperature" if method == "auto" else method, 0)} if method else {}
    )
    if config.get("conformal") is not None:
        needed[f"conformal={config.conformal:g}"] = conformals.rows_needed(config.conformal)
    faults = [
        f"{key}: expected at least {least} {name} rows, got {rows}. Give validation a larger share of the rows with "
        "split=ratio, or use all rows outside the test part with cv=kfold."
        for key, least in needed.items()
        if rows < least
    ]
    if faults:
        raise DataError(faults)


def decide(config: DictConfig, held_out: HeldOut | None, seed: Seed) -> Decisions:
    """Fits what the config asks for; without rows there is nothing to fit."""
    if held_out is None or all(config.get(key) is None for key in KEYS):
        return Decisions()
    truth, answers = held_out.truth, held_out.answers
    made = Decisions(len(answers), held_out.name)
    if config.get("calibration") is not None:
        found = calibrations.fit(config.calibration.method, truth, answers, seed.stream("calibration"))
        made = Decisions(made.rows, made.fitted_on, found)
        answers = made.applied({"": answers}, truth)[""]
    threshold, conformal = THRESHOLD, None
    if config.get("threshold") is not None:
        costs = {key: config.threshold[key] for key in config.threshold if str(key).endswith("_cost")}
        threshold = choose(config.threshold.criterion, truth.values, answers[:, 0], truth.weights, **costs)
    if config.get("conformal") is not None:
        conformal = conformals.fit(truth.kind, config.conformal, truth.values, answers)
    return Decisions(made.rows, made.fitted_on, made.calibration, threshold, config.get("threshold"), conformal)


def _fewer_than_promised(level: float, fitted_on: str) -> str:
    if fitted_on == "validation":
        return f"That is fewer than {level:.0%}: the test rows are unlike those of validation."
    return (
        f"That is fewer than {level:.0%}: the test rows are unlike the others, or the model unlike those of the folds. "
        "Without cv= its own validation rows fit them."
    )


def sentences(entry: Mapping[str, Any], task: Any, in_time: bool) -> list[str]:
    """Returns the notes on the entry `decisions` of metrics.json."""
    if not entry:
        return []
    rows = f"{entry['rows']:,} {entry['fitted_on']} rows"
    notes = []
    if found := entry.get("calibration"):
        part = list(found["before"])[-1]
        what = f"temperature {digits(found['temperature'], 3)}" if "temperature" in found else found["method"]
        one, other = (found[when][part] for when in ("before", "after"))
        notes.append(
            f"Calibration ({what}, fitted on {rows}): log-loss on {part} {number(one['log_loss'])} before and "
            f"{number(other['log_loss'])} after, calibration error {number(one['calibration_error'])} and "
            f"{number(other['calibration_error'])}."
        )
    if found := entry.get("threshold"):
        text = f"Threshold {digits(found['value'], 3)} by {found['criterion']} on {rows}"
        if cost := found.get("cost_per_row"):
            part = list(cost["chosen"])[-1]
            text += f": cost a row on {part} {number(cost['chosen'][part])}, at 0.5 {number(cost['at_half'][part])}"
        notes.append(f"{text}.")
    if found := entry.get("conformal"):
        part = next(part for part in ("test", "validation", "train") if part in found)
        low, high = found[part]["interval"]
        large = (
            f"mean width {digits(found[part]['mean_width'], 4)}"
            if task.quantity
            else f"{found[part]['mean_classes']:.2f} classes on average"
        )
        notes.append(
            f"{'Intervals' if task.quantity else 'Sets of classes'} of {found['level']:.0%} (conformal, {rows}): "
            f"{found[part]['coverage']:.1%} of the {part} rows are inside ({low:.1%} to {high:.1%}), {large}."
            f"{' They are fitted on these rows.' if part == entry['fitted_on'] else ''}"
        )
        if part == "test" and high < found["level"]:
            notes.append(_fewer_than_promised(found["level"], entry["fitted_on"]))
        if in_time:
            notes.append("They hold as promised where later rows are like earlier ones, which time may change.")
    if is_fitted(entry, "validation"):
        what = " and ".join(name for name in entry["fitted"] if name != "intervals")
        notes.append(f"The metrics of validation are fitted: its rows chose the {what}. Read those of test.")
    return notes


def is_fitted(entry: Mapping[str, Any], part: str) -> bool:
    """Tells from the entry `decisions` whether the metrics of a part are of rows that something was fitted on."""
    return entry.get("fitted_on") == part and bool({"calibration", "threshold"} & set(entry.get("fitted", ())))
