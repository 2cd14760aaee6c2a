"""The parts of a report that tell where a run came from: its data, its configuration, its environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dltrain.record.record import Record
from dltrain.record.signature import Signature
from dltrain.report.page import Html, code, folded, note, paragraph, table, text
from dltrain.report.remedies import command

MOST_COLUMNS = 20  # that are listed unasked


def data(record: Record, signature: Signature, rows: Mapping[str, int]) -> list[Html]:
    """Rows, columns, what was found in them and what was done with them.

    Args:
        record: of the run.
        signature: the columns.
        rows: how many each part has.
    """
    facts = record.facts
    parts = ", ".join(f"{part} {count:,}" for part, count in rows.items())
    columns = [
        [
            column.name,
            column.kind,
            _between(column.minimum, column.maximum) or (f"{len(column.words)} values" if column.words else ""),
            "yes" if column.has_missing else "",
        ]
        for column in signature.columns
    ]
    told = [*facts.get("warnings", []), *facts.get("notes", [])]
    items = Html("<ul>" + "".join(f"<li>{text(each)}</li>" for each in told) + "</ul>")
    listing = table("Columns of the train rows", ["column", "kind", "range", "missing cells"], columns, words=4)
    return [
        paragraph(f"{facts['data']['rows']:,} rows: {parts}."),
        _checks(facts.get("checks")),
        listing if len(columns) <= MOST_COLUMNS else folded(f"All {len(columns)} columns", listing),
        folded("What was done with the data", items) if told else Html(""),
        note(f"SHA-256 of the data: {facts['data']['sha256']}"),
    ]


def configuration(record: Record) -> list[Html]:
    """The command again, the options and every setting; what was typed is marked."""
    overrides = record.facts.get("overrides", [])
    typed = [word.partition("=")[0].lstrip("+~") for word in overrides]

    def name(key: str) -> Html:
        own = any(key == word or key.startswith(f"{word}.") for word in typed)
        return Html(f'<span class="typed">{text(key)} (typed)</span>') if own else text(key)

    chosen = [
        [Html(f'<span class="typed">{text(group)} (typed)</span>') if group in typed else group, option or "none"]
        for group, option in record.choices.items()
    ]
    settings = [[name(key), _plain(value)] for key, value in record.settings.items()]
    return [
        paragraph("The same run again:"),
        code(command(overrides, (), *flags(record))),
        table("Chosen options", ["group", "option"], chosen, words=2),
        folded(f"All {len(settings)} settings", table("Settings", ["key", "value"], settings, words=2)),
    ]


def environment(record: Record) -> list[Html]:
    """Versions and machine."""
    facts = record.facts
    git = facts.get("git") or {}
    rows: list[tuple[str, Any]] = [
        ("started", facts.get("started")),
        ("finished", facts.get("finished")),
        ("seed", facts.get("seed")),
        ("device", facts.get("device")),
        ("platform", facts.get("platform")),
        ("git commit", f"{git['commit']} ({git['changed_files']} files changed)" if git else "not in a repository"),
        *((name, version) for name, version in facts.get("versions", {}).items()),
    ]
    shown = [[name, "" if value is None else value] for name, value in rows]
    return [folded("Versions and machine", table("Environment", ["what", "value"], shown, words=2))]


def flags(record: Record) -> list[str]:
    """The flags of a run's command that its configuration hangs on."""
    kept = []
    words: Sequence[str] = record.facts.get("command", [])
    for place, word in enumerate(words):
        name = word.partition("=")[0]
        if name in ("--config-dir", "--config-path", "--config-name", "-cd", "-cp", "-cn"):
            kept.append(word)
            if "=" not in word and place + 1 < len(words):
                kept.append(words[place + 1])
    return kept


def _checks(found: Any) -> Html:
    """The checks of the data, as far as the run has any: a list of facts by name."""
    if found is None:
        return Html("")
    rows = [each for each in found if isinstance(each, dict)]
    if not rows:
        return paragraph("The checks of the data found nothing to warn of.")
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_plain(row.get(name, "")) for name in names] for row in rows]
    return table("What the checks of the data found", names, cells, words=len(names))


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g} to {high:g}"


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(_plain, value)) if isinstance(value, (list, tuple)) else str(value)
