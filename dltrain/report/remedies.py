"""What to try next: words of a command line for what ails a training."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dltrain.report.evidence import Evidence

Tries = tuple[tuple[str, ...], ...]


def command(overrides: Sequence[str], words: Sequence[str] = (), *flags: str) -> str:
    """The command of a run with some words changed, for the shell.

    Args:
        overrides: of the run.
        words: what to change.
        flags: that the run had, such as `--config-dir`.
    """
    changed = {word.partition("=")[0].lstrip("+~") for word in words}
    kept = [word for word in overrides if word.partition("=")[0].lstrip("+~") not in changed]
    return shlex.join(["dltrain", *flags, *kept, *words])


def longer(seen: Evidence) -> Tries:
    """More epochs, where all were run."""
    epochs = seen.settings.get("trainer.epochs")
    return ((f"trainer.epochs={2 * epochs}",),) if isinstance(epochs, int) and len(seen.history) >= epochs else ()


def larger(seen: Evidence) -> Tries:
    """More units."""
    units = seen.settings.get("model.units")
    if isinstance(units, list) and units:
        return ((f"model.units=[{','.join(str(2 * each) for each in units)}]",),)
    is_linear = str(seen.settings.get("model._target_", "")).endswith("mlp.linear")
    return (("model=mlp",),) if is_linear else ()


def freer(seen: Evidence) -> Tries:
    """No dropout."""
    dropout = seen.settings.get("model.dropout")
    return (("model.dropout=0",),) if isinstance(dropout, (int, float)) and dropout > 0 else ()


def stricter(seen: Evidence) -> Tries:
    """More dropout, a penalty, fewer units."""
    tries: list[tuple[str, ...]] = []
    dropout = seen.settings.get("model.dropout")
    if isinstance(dropout, (int, float)) and dropout < 0.5:
        tries.append(("model.dropout=0.5",))
    if "model.units" in seen.settings and seen.settings.get("regularizer.kernel") is None:
        tries.append(("regularizer=l2",))
    units = seen.settings.get("model.units")
    if isinstance(units, list) and units and min(units) >= 8:
        tries.append((f"model.units=[{','.join(str(each // 4) for each in units)}]",))
    return tuple(tries)


def faster(seen: Evidence) -> Tries:
    """A learning rate ten times as large."""
    rate = seen.settings.get("optimizer.learning_rate")
    return ((f"optimizer.learning_rate={rate * 10:g}",),) if isinstance(rate, (int, float)) else ()


def slower(seen: Evidence) -> Tries:
    """A tenth of the learning rate."""
    rate = seen.settings.get("optimizer.learning_rate")
    return ((f"optimizer.learning_rate={rate / 10:g}",),) if isinstance(rate, (int, float)) else ()


def slower_by_schedule(seen: Evidence) -> Tries:
    """A learning rate that falls, where none does."""
    return (("schedule=cosine",),) if seen.settings.get("schedule") is None else ()


def healthier(seen: Evidence) -> Tries:
    """Another initializer, and normalization."""
    if "model.units" not in seen.settings:
        return ()
    words = ["initializer=he_normal"]
    if seen.settings.get("normalization") is None and "normalization._target_" not in seen.settings:
        words.append("normalization=batch")
    return (tuple(words),)
