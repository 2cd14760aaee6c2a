"""Which way a metric is better, as its name tells; light, since the command line asks too."""

from __future__ import annotations

RISING = ("accuracy", "auc", "precision", "recall", "f1", "r2", "iou", "similarity", "likelihood")
FALLING = ("error", "rmse", "mae", "mse", "loss", "entropy", "deviance", "parameters", "seconds")


def direction_by_name(name: str) -> str | None:
    """`min`, `max`, or None where the name does not tell."""
    if name.removeprefix("val_") == "loss":
        return "min"
    if any(word in name for word in RISING):
        return "max"
    if any(word in name for word in FALLING):
        return "min"
    return None
