"""Finds what was changed in the config.yaml of a run since it was recorded, and which of it a training can take up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.config.fingerprint import WITHOUT_INFLUENCE, fingerprint
from dltrain.config.moved_paths import TARGET
from dltrain.config.settings import flat
from dltrain.record.record import Record, read_yaml

ALLOWED = ("trainer.epochs", "quiet", "verbose")  # of the keys that one may type to go on with a run

# What decides how a training goes on from a saved state, not what that state is: rows, network, variables or steps.
TAKEN_UP = ("trainer.epochs", "trainer.save_state_seconds", "optimizer.", "callbacks.", "score_test", "checks.")
UNKNOWN = object()


@dataclass(frozen=True)
class ConfigChange:
    """A setting that config.yaml has now (`after`) and had when run.json was written (`before`)."""

    key: str
    before: Any
    after: Any

    @property
    def sentence(self) -> str:
        """What differs, as the person sees it in the two files."""
        before, after = (
            "nothing" if each is UNKNOWN else json.dumps(each, ensure_ascii=False, default=str)
            for each in (self.before, self.after)
        )
        return f"{self.key}: run.json has {before}, config.yaml has {after}"

    @property
    def can_be_taken_up(self) -> bool:
        """Whether a training that has begun can go on with it."""
        known = self.before is not UNKNOWN and self.after is not UNKNOWN
        return known and f"{self.key}.".startswith(TAKEN_UP) and not self.key.endswith(TARGET)


def changes_of(record: Record) -> list[ConfigChange]:
    """Returns the settings in which config.yaml differs from run.json; the hash of the config tells whether any does.

    A change that no setting shows has the key `config.yaml`.
    """
    recorded = record.facts.get("config_sha256")
    if not recorded or fingerprint(record.config) == recorded:
        return []
    now: Any = flat(OmegaConf.to_container(record.config, resolve=True))  # type: ignore[arg-type]
    known, references = record.settings, _references(record)

    def differing(keys: Iterable[str], before: Mapping[str, Any]) -> list[ConfigChange]:
        pairs = {key: (before.get(key, UNKNOWN), now.get(key, UNKNOWN)) for key in keys}
        return [ConfigChange(key, *pair) for key, pair in pairs.items() if _text(pair[0]) != _text(pair[1])]

    found = differing([key for key in known if key.partition(".")[0] not in WITHOUT_INFLUENCE], known)
    undone = record.config.copy()
    for each in found:
        OmegaConf.update(undone, each.key, each.before, force_add=True, merge=False)
    if fingerprint(undone) != recorded:  # further keys have changed, of those that run.json leaves out or never had
        others = {key for key in now if key not in known and key.partition(".")[0] not in WITHOUT_INFLUENCE}
        referred = {key: known[other] for key, other in references.items() if other in known}
        # Where the setting that it refers to has changed with it, that one is named already.
        followed = {key for key in others if key in references and now[key] == now.get(references[key])}
        found += differing(sorted(others - followed), referred)
    return found or [ConfigChange("config.yaml", recorded, fingerprint(record.config))]


def _references(record: Record) -> Mapping[str, str]:
    """Returns the keys that were written as `${another.key}`, which run.json leaves out, with that other key."""
    try:
        written = OmegaConf.to_container(read_yaml(record.path / ".hydra" / "config.yaml"), resolve=False)
    except ConfigError:
        return {}
    values = flat(written) if isinstance(written, dict) else {}  # type: ignore[arg-type]
    return {key: value[2:-1] for key, value in values.items() if isinstance(value, str) and value.startswith("${")}


def _text(value: Any) -> str:
    """Returns JSON as run.json has it, in which numbers that are not finite are null."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return "null"
    return json.dumps(value, sort_keys=True, default=str)
