"""Lists the data, the configuration and the environment of a run for its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dltrain.record.record import Record
from dltrain.record.signature import Column, Signature
from dltrain.report.score_sections import Table


def columns(signature: Signature) -> list[list[str]]:
    """Returns name, kind, values and missing cells of each column that the model takes."""
    return [[each.name, each.kind, _values(each), "yes" if each.has_missing else ""] for each in signature.columns]


def checks(record: Record) -> Table | None:
    """Returns the findings of the data checks as a table; None for runs of versions without checks."""
    found = record.facts.get("checks")
    if found is None:
        return None
    rows = [each for each in found if isinstance(each, dict)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return names, [[_plain(row.get(name, "")) for name in names] for row in rows]


def steps(record: Record, epochs: int) -> Table | None:
    """Returns how the steps of a training follow from its rows; None for several trainings and for earlier versions."""
    rows = (record.facts["data"].get("parts") or {}).get("train")
    size, each = (record.facts.get(name) for name in ("batch_size", "steps_per_epoch"))
    if not rows or not size or not each or record.folds is not None or record.seeds is not None:
        return None
    head = ["train rows n", "rows a step b", "steps an epoch n / b, rounded up", "epochs e", "steps in all s"]
    return head, [[f"{value:,}" for value in (rows, size, each, epochs, each * epochs)]]


def options(record: Record) -> list[tuple[str, str, bool]]:
    """Returns each group of the configuration with its option, and whether a person typed it."""
    typed = _typed(record)
    return [(group, option or "none", group in typed) for group, option in record.choices.items()]


def settings(record: Record) -> list[tuple[str, str, bool]]:
    """Returns each key of the configuration with its value, and whether a person typed it."""
    typed = _typed(record)
    return [
        (key, _plain(value), any(key == word or key.startswith(f"{word}.") for word in typed))
        for key, value in record.settings.items()
    ]


def versions(record: Record) -> list[tuple[str, Any]]:
    """Returns times, machine and versions of a run."""
    facts = record.facts
    git = facts.get("git") or {}
    rows = {name: facts.get(name) for name in ("started", "finished", "seed", "device", "platform")}
    rows["git commit"] = f"{git['commit']} ({git['changed_files']} files changed)" if git else "not in a repository"
    rows |= facts.get("versions", {})
    return [(name, "" if value is None else value) for name, value in rows.items()]


def flags(record: Record) -> list[str]:
    """Returns the flags of a run's command that its configuration depends on."""
    kept = []
    words: Sequence[str] = record.facts.get("command", [])
    for place, word in enumerate(words):
        name = word.partition("=")[0]
        if name in ("--config-dir", "--config-path", "--config-name", "-cd", "-cp", "-cn"):
            kept.append(word)
            if "=" not in word and place + 1 < len(words):
                kept.append(words[place + 1])
    return kept


def _values(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} to {column.maximum:g}"
    return f"{len(column.words)} values" if column.words else ""


def _typed(record: Record) -> list[str]:
    return [word.partition("=")[0].lstrip("+~") for word in record.facts.get("overrides", [])]


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(_plain, value)) if isinstance(value, (list, tuple)) else str(value)
