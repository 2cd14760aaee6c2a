"""Runs a sweep from its command to its result, and records how to continue it."""

from __future__ import annotations

import datetime
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file
from dltrain.base.notes import counted
from dltrain.base.shell_words import quoted
from dltrain.base.show import show
from dltrain.config.auto_model import AUTO
from dltrain.config.fingerprint import EARLIER_DEFAULTS, WITHOUT_INFLUENCE, group_of
from dltrain.config.moved_paths import TARGET, original, renamed
from dltrain.config.search_dimension import text_of
from dltrain.record.winner import has_ensemble
from dltrain.sweeps import memory
from dltrain.sweeps.clock import is_best
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.stop import asked_to_stop, stoppable

RECORD = "sweep.json"
KNOWN = "known_keys"  # in the record: which keys with earlier defaults its version had
FAILED, INTERRUPTED = 1, 130
# What versions before model=auto trained on data of one's own, by the loader.
EARLIER_MODELS = {
    "dltrain.data.table.load": ["model=mlp", "model.linear_path=false"],
    "dltrain.data.texts.load": ["model=text_linear", "model.interpolation=1.0", "model.rarity=false"],
    "dltrain.data.images.load": ["model=cnn", "dataset.size=64"],
}


def is_sweep(directory: Path) -> bool:
    """Returns whether a sweep can be continued in this directory."""
    return (directory / RECORD).is_file()


def read_record(directory: Path) -> dict[str, Any]:
    """Reads the sweep.json of a directory.

    Raises:
        ConfigError: If it is missing or damaged.
    """
    path = directory / RECORD
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"'{path}' cannot be read: {error}") from error
    known = record if isinstance(record, dict) else {}
    texts = [known.get(key, []) for key in ("words", "space", "continued", KNOWN)]
    earlier = known.get("earlier_spaces", [])
    texts += earlier if isinstance(earlier, list) else [earlier]
    whole = all(isinstance(each, list) and all(isinstance(word, str) for word in each) for each in texts)
    if not whole or not {"words", "space"} <= {*known} or not isinstance(known.get("working_directory"), str):
        raise ConfigError(f"'{path}' is damaged: expected a mapping with words, space and working_directory.")
    return {"continued": [], **known}


def run_sweep(
    directory: Path,
    typed: list[str],
    overrides: Sequence[str],
    config: DictConfig,
    *,
    launch: Callable[[], Any],
    write_report: Callable[[Path], Any],
    shows: bool = True,
) -> int:
    """Runs the remaining jobs in an existing directory, then writes the result of all, and shows it if `shows`.

    `typed` are the words of the command line, by which the sweep can be continued; `launch` has Hydra run them;
    `write_report` writes that of a sweep or of a run. Returns 0 if all jobs completed, 1 if one failed, 130 after
    Ctrl-C; a search that ends with an ensemble has done so even if a job failed.

    Raises:
        ConfigError: If the directory belongs to another space, or the settings cannot work.
    """
    directory = directory.resolve()
    _write_record(directory, typed, overrides, config)
    timed = config.search is not None and config.search.get("minutes") is not None
    with stoppable(directory, *(["the trainings after their epochs"] if timed else [])):
        try:
            launch()
        except KeyboardInterrupt:
            stopped = True
        else:
            stopped = asked_to_stop(directory)
    entries = Ledger(directory).gather()
    goes_on = memory.full and not stopped
    if entries and not goes_on:
        from dltrain.sweeps.summary import summarise

        summarise(directory, config, quiet=stopped or not shows)
        if is_best(config):
            from dltrain.sweeps.ensemble import ensemble_of

            ensemble_of(directory, config, write_report, shows=shows)
        if config.report is not False:
            write_report(directory)
    if goes_on:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "dltrain", *resume_words(directory)])
    if stopped:
        show(f"\n{counted(len(entries), 'job')} done; to go on: dltrain resume {quoted(directory)}", file=sys.stderr)
        return INTERRUPTED
    # A completed job has a reason if it missed what was required of it.
    failed = any(entry.status == "failed" or (entry.status == "completed" and entry.reason) for entry in entries)
    if is_best(config):
        if not has_ensemble(directory):
            more = f"dltrain resume {quoted(directory)} search.minutes={2 * config.search.minutes:g}"
            show(f"no job completed, so that there is no ensemble; to go on: {more}", file=sys.stderr)
        return 0 if has_ensemble(directory) else FAILED
    return FAILED if failed or not entries else 0


def _write_record(directory: Path, words: list[str], overrides: Sequence[str], config: DictConfig) -> None:
    """Writes sweep.json, which tells how and from where the sweep continues."""
    space = space_lines(overrides, config)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    record: dict[str, Any] = {"started": now, "continued": [], KNOWN: [*EARLIER_DEFAULTS]}
    if (directory / RECORD).exists():
        record = read_record(directory)
        before = _without_what_is_told(record["space"])
        earlier = [_without_what_is_told(each) for each in record.get("earlier_spaces", [])]
        if space != before and space not in earlier and not config.extend:
            raise ConfigError(
                [
                    f"hydra.sweep.dir: '{directory}' holds a sweep of another space. "
                    "Choose another directory, or add extend=true to run what is new beside it.",
                    *(f"there, not now: {line}" for line in before if line not in space),
                    *(f"now, not there: {line}" for line in space if line not in before),
                ]
            )
        record["continued"].append(now)
        record["earlier_spaces"] = [*earlier, *([before] if space != before and before not in earlier else [])]
    elif config.extend or config.retry_failed:
        key = "extend" if config.extend else "retry_failed"
        raise ConfigError(f"{key}=true has no effect: '{directory}' holds no sweep. Name one with hydra.sweep.dir=…")
    once = ("extend", "retry_failed", "hydra.sweep.dir", "--retry-failed")
    kept = [word for word in words if word.partition("=")[0] not in once]
    record |= {"words": kept, "working_directory": str(Path.cwd()), "space": space}
    with replace_file(directory / RECORD) as path:
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def space_lines(overrides: Sequence[str], config: DictConfig) -> list[str]:
    """Returns what decides which jobs there are: the overrides of jobs, sorted, and the settings of a search."""
    lines = [_with_original_path(word) for word in overrides if group_of(word) not in WITHOUT_INFLUENCE]
    params = config.hydra.sweeper.get("params") or {}
    lines += [f"hydra.sweeper.params.{key}={value}" for key, value in params.items()]
    if config.search is not None:
        # More minutes continue a search; they change none of its jobs.
        keys = [key for key in map(str, config.search) if key != "minutes"]
        lines += [f"search.{key}={text_of(_plain(config.search[key]))}" for key in keys]
    return sorted(lines)


def recorded_at_once(directory: Path) -> int | None:
    """Returns how many jobs of a search may be under way; None if its record does not tell a number."""
    key = "search.at_once="
    found = [line.removeprefix(key) for line in read_record(directory)["space"] if line.startswith(key)]
    return int(found[0]) if found and found[0].isdigit() else None


def _without_what_is_told(space: Sequence[str]) -> list[str]:
    """Returns the lines of a space without words such as report=true, which older versions wrote into it."""
    return [line for line in space if group_of(line) in ("hydra", "search") or group_of(line) not in WITHOUT_INFLUENCE]


def earlier_defaults(directory: Path, config: DictConfig) -> list[str]:
    """Returns the overrides with which a sweep of an earlier version continues as it began."""
    known = read_record(directory).get(KNOWN, [])
    missing = {key: value for key, value in EARLIER_DEFAULTS.items() if key not in known}
    words = [f"{key}={text_of(value)}" for key, value in missing.items() if OmegaConf.select(config, key) is not None]
    if before_auto(directory) and config.hydra.runtime.choices.get("model") == AUTO:
        words += EARLIER_MODELS.get(str(config.dataset.get(TARGET)), [])
    return words


def before_auto(directory: Path) -> bool:
    """Returns whether a sweep began in a version without model=auto."""
    return is_sweep(directory) and "model.rarity" not in read_record(directory).get(KNOWN, [])


def resume_words(directory: Path, more: Sequence[str] = ()) -> list[str]:
    """Returns the words that continue a sweep, and changes to the directory where it was started.

    `more` holds words that replace those of the first start, or join them.
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    directory = directory.resolve()
    record = read_record(directory)
    first, place = record["words"], Path(record["working_directory"])
    given = {word.partition("=")[0] for word in more if "=" in word}
    kept = [word for word in first if word.startswith("-") or word.partition("=")[0] not in given]
    if place.is_dir():
        os.chdir(place)  # for relative paths in the first command
    where = QuotedString(str(directory), Quote.single).with_quotes()
    return [*kept, *more, f"hydra.sweep.dir={where}"]


def _with_original_path(word: str) -> str:
    key, sign, value = word.partition("=")
    return f"{key}{sign}{original(value)}" if key.endswith(TARGET) else word


def _plain(value: Any) -> Any:
    if not OmegaConf.is_config(value):
        return value
    return json.dumps(renamed(OmegaConf.to_container(value, resolve=True), original))
