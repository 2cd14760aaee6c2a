"""Reads a run directory, without heavy imports, so that verbs that only read answer at once."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import platform
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError, closest, did_you_mean
from dltrain.config.metric_traits import MetricTraits, traits
from dltrain.config.moved_paths import current, rename_moved, renamed
from dltrain.config.settings import choices_of, flat, without_repeats
from dltrain.record.environment import versions

# The loader in C is as safe and ten times as fast, but PyYAML may have been built without it.
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: Path) -> Any:
    """Reads a YAML file of a run as an OmegaConf config, unresolved.

    Raises:
        ConfigError: If it cannot be read, or holds an alias.
    """
    try:
        return OmegaConf.load(io.StringIO(_without_aliases(file)))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"'{file}' cannot be read: {error}") from error


def _without_aliases(file: Path) -> str:
    """Returns the text of a YAML file of a run.

    dltrain writes no alias, and a few lines of aliases to aliases can stand for more values than the memory holds.
    """
    text = file.read_text("utf-8")
    for event in yaml.parse(text, _YAML_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(
                f"line {event.start_mark.line + 1} holds the alias *{event.anchor}; expected all values written out, "
                "as dltrain does."
            )
    return text


def read_history(file: Path) -> list[dict[str, float]]:
    """Reads the rows of a history.csv, one for each epoch."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        return [{name: float(cell) for name, cell in row.items() if name and cell} for row in rows]


class Record:
    """What a run left in its directory; each file is read when it is first needed.

    `path` is the run directory or a file in it.

    Raises:
        ConfigError: If the directory holds no run.
    """

    def __init__(self, path: str | Path) -> None:
        given = Path(path)
        self.path = given.parent if given.is_file() else given
        if not (self.path / "run.json").is_file():
            raise ConfigError(_no_run(self.path))

    @functools.cached_property
    def facts(self) -> dict[str, Any]:
        """The content of run.json."""
        return dict(self.json("run.json"))

    @functools.cached_property
    def status(self) -> str:
        """Running, completed, failed or interrupted; `died` if run.json says running but the process is gone."""
        status = str(self.facts.get("status", "unknown"))
        pid, host = self.facts.get("pid"), self.facts.get("host")
        gone = status == "running" and isinstance(pid, int) and host == platform.node() and not _alive(pid)
        return "died" if gone else status

    @functools.cached_property
    def settings(self) -> dict[str, Any]:
        """Every setting by its full key, resolved; empty if the run ended before it had any."""
        known = self.facts.get("settings")
        if isinstance(known, dict):
            return dict(renamed(known, current))
        # Older versions did not write the settings into run.json.
        resolved, written = self._yaml("config.yaml"), self._yaml(".hydra/config.yaml")
        found = without_repeats(flat(written or {}), flat(resolved)) if isinstance(resolved, dict) else {}
        return dict(renamed(found, current))

    @functools.cached_property
    def choices(self) -> dict[str, Any]:
        """The option of each group; None if no option is chosen. For `task=auto` it is the task that was found."""
        known = self.facts.get("choices")
        if isinstance(known, dict):
            found = {"task": self.facts["task"]} if known.get("task") == "auto" and "task" in self.facts else {}
            return known | found
        hydra = self._yaml(".hydra/hydra.yaml")
        try:
            return choices_of(hydra["hydra"]["runtime"]["choices"])
        except (KeyError, TypeError, AttributeError):
            return {}

    @functools.cached_property
    def config(self) -> DictConfig:
        """The resolved config; a ConfigError tells if it is missing or damaged."""
        config = read_yaml(self.path / "config.yaml")
        if not isinstance(config, DictConfig):
            raise ConfigError(f"'{self.path / 'config.yaml'}': expected keys and values.")
        rename_moved(config)
        return config

    @functools.cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json; empty if the run did not complete."""
        return dict(self.json("metrics.json")) if (self.path / "metrics.json").exists() else {}

    @functools.cached_property
    def history(self) -> list[dict[str, float]]:
        """The rows of history.csv, one for each epoch; empty if no epoch was finished."""
        file = self.path / "history.csv"
        return read_history(file) if file.exists() else []

    @functools.cached_property
    def histories(self) -> dict[str, list[dict[str, float]]]:
        """The history of each training: of the folds (`fold 1`, …) or seeds, and of the run itself under `the run`."""
        files = [*self.path.glob("cv/*/history.csv"), *self.path.glob("seeds/*/history.csv")]
        return {
            "the run": self.history,
            **{file.parent.name.replace("_", " "): read_history(file) for file in sorted(files)},
        }

    @functools.cached_property
    def folds(self) -> dict[str, Any] | None:
        """The content of cv/summary.json, or None if the run is not cross-validated; a damaged file raises an error."""
        known = self.metrics.get("cross_validation")
        if known is None and (self.path / "cv" / "summary.json").exists():  # the model of all folds may be missing yet
            known = self.json("cv/summary.json")
        return known if isinstance(known, dict) else None

    @property
    def seeds(self) -> dict[str, Any] | None:
        """The entry `seeds` of metrics.json; None where the run has a single one."""
        known = self.metrics.get("seeds")
        return known if isinstance(known, dict) else None

    @property
    def members(self) -> list[dict[str, Any]]:
        """The jobs whose models an ensemble averages, with job, weight, count and overrides; empty for other runs."""
        known = self.facts.get("members")
        return known if isinstance(known, list) else []

    def scores(self, part: str) -> dict[str, Any]:
        """Returns the metrics of a part, which are means over folds or seeds; empty if it was not scored."""
        several = (self.folds or {}) if part == "validation" else {}
        several = several or (self.seeds or {}).get(part) or {}
        return dict(several.get("mean") or self.metrics.get(part) or {})

    def repeats(self, *parts: str) -> dict[str, dict[str, dict[str, Any]]]:
        """Returns the entry of each fold or seed by its number, under `folds` and `seeds`.

        The metrics of the first of these parts that an entry has stand in it beside what it has of its own.
        """
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for kind, entries in (("folds", (self.folds or {}).get("folds")), ("seeds", (self.seeds or {}).get("runs"))):
            known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
            numbers = [str(entry.get(kind[:-1], place)) for place, entry in enumerate(known)]
            found[kind] = {
                number: entry | next((entry[part] for part in parts if isinstance(entry.get(part), dict)), {})
                for number, entry in zip(numbers, known, strict=True)
            }
        return found

    def traits(self, name: str) -> MetricTraits:
        """Returns the traits of a metric: as the run wrote them down, else by its class or its name."""
        name = name.removeprefix("val_")
        known = (self.facts.get("metric_traits") or {}).get(name)
        return MetricTraits(**known) if known else traits(name, self.settings.get(f"task.metrics.{name}._target_"))

    def version_differences(self) -> list[str]:
        """Describes, in a phrase each, which packages or Python have another version now than when the run began."""
        then, now = self.facts.get("versions", {}), versions()
        return [
            f"{name} changed from {then.get(name)} to {now.get(name)}"
            for name in sorted(set(then) | set(now))
            if then.get(name) != now.get(name)
        ]

    def _yaml(self, name: str) -> Any:
        try:
            return yaml.load(_without_aliases(self.path / name), _YAML_LOADER)
        except (OSError, ValueError, RecursionError, yaml.YAMLError):
            return None

    def json(self, name: str) -> Any:
        """Reads a JSON file of the run; a missing or damaged one raises a ConfigError."""
        try:
            return json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError(f"'{self.path / name}' cannot be read: {error}") from error


def _alive(pid: int) -> bool:
    if os.name != "posix":  # Windows has no signal that only asks
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # the process belongs to another user
        return True
    return True


def _no_run(path: Path) -> str:
    if not path.exists():
        names = [folder.name for folder in path.parent.glob("*/") if (folder / "run.json").exists()]
        near = closest(path.name, names)
        hint = f" Did you mean '{path.with_name(near)}'?" if near else did_you_mean(path.name, names)
        return f"The run directory '{path}' does not exist.{hint}"
    runs = sorted(str(file.parent) for pattern in ("*/run.json", "*/*/run.json") for file in path.glob(pattern))
    return f"'{path}' holds no run (no run.json).{did_you_mean(str(path), runs)}"
