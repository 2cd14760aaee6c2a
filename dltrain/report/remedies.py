"""Suggests overrides for what is wrong with a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dltrain.base import shell_words
from dltrain.report.evidence import Evidence

Tries = tuple[tuple[str, ...], ...]


def command(overrides: Sequence[str], words: Sequence[str] = (), *flags: str) -> str:
    """Returns the command of a run with some words changed, for the shell; `flags` are kept, such as `--config-dir`."""
    return " ".join(filter(None, parts(overrides, words, *flags)))


def parts(overrides: Sequence[str], words: Sequence[str] = (), *flags: str) -> tuple[str, str, str]:
    """Returns the parts of `command`: its start, the changed words, which come first, and those that are kept."""
    changed = {word.partition("=")[0].lstrip("+~") for word in words}
    kept = [word for word in overrides if word.partition("=")[0].lstrip("+~") not in changed]
    start, first, others = map(shell_words.command, (["dltrain", *flags], words, kept))
    return start, first, others


def new(tries: Tries, seen: Evidence) -> Iterator[tuple[str, ...]]:
    """Yields the suggestions without words that the run had already."""
    known = {f"{key}={value}" for key, value in {**seen.settings, **seen.choices}.items()}
    for words in tries:
        if left := tuple(word for word in words if word not in known):
            yield left


def longer(seen: Evidence) -> Tries:
    """Suggests more epochs, if all were run."""
    epochs = seen.settings.get("trainer.epochs")
    return ((f"trainer.epochs={2 * epochs}",),) if isinstance(epochs, int) and len(seen.history) >= epochs else ()


def larger(seen: Evidence) -> Tries:
    """Suggests more units, or a hidden layer."""
    units = seen.settings.get("model.units")
    if isinstance(units, list) and units:
        return ((f"model.units=[{','.join(str(2 * each) for each in units)}]",),)
    is_linear = str(seen.settings.get("model._target_", "")).endswith("mlp.linear")
    return (("model=mlp",),) if is_linear else ()


def freer(seen: Evidence) -> Tries:
    """Suggests no dropout."""
    dropout = seen.settings.get("model.dropout")
    return (("model.dropout=0",),) if isinstance(dropout, (int, float)) and dropout > 0 else ()


def stricter(seen: Evidence) -> Tries:
    """Suggests more dropout, a penalty and fewer units."""
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
    """Suggests ten times the learning rate."""
    rate = seen.settings.get("optimizer.learning_rate")
    return ((f"optimizer.learning_rate={rate * 10:g}",),) if isinstance(rate, (int, float)) else ()


def slower(seen: Evidence) -> Tries:
    """Suggests a tenth of the learning rate."""
    rate = seen.settings.get("optimizer.learning_rate")
    return ((f"optimizer.learning_rate={rate / 10:g}",),) if isinstance(rate, (int, float)) else ()


def slower_by_schedule(seen: Evidence) -> Tries:
    """Suggests a falling learning rate, if there is no schedule."""
    return (("schedule=cosine",),) if seen.settings.get("schedule") is None else ()


def healthier(seen: Evidence) -> Tries:
    """Suggests another initializer, and normalization."""
    if "model.units" not in seen.settings:
        return ()
    words = ["initializer=he_normal"]
    if seen.settings.get("normalization") is None and "normalization._target_" not in seen.settings:
        words.append("normalization=batch")
    return (tuple(words),)
