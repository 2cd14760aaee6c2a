"""Creates the directory of a run and writes its files, each whole or not at all."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.base.errors import ConfigError
from dltrain.base.files import remove_unfinished, replace_file
from dltrain.base.lock import lock, unlock, waiting_for
from dltrain.record.damage import HASHES, OWN_HASH, RUN_FILE, hashes, own_hash
from dltrain.record.environment import git, versions

if TYPE_CHECKING:  # verbs that only read shall start at once
    import numpy.typing as npt

# Files that show that a directory holds a run or a sweep.
MARKER_FILES = ("run.json", "multirun.yaml", "sweep.json")
# What a run has written that was killed before it had a run.json; the same run may begin there again.
LEFT_AT_ONCE = (".lock", ".hydra", "config.yaml", "dltrain.log")
CHUNK_ITEMS = 100_000  # written at once


class RunDirectory:
    """Writes the files of one run into an existing directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, Any] = {}  # the content of run.json
        self._written: set[Path] = set()
        self._run = self

    def part(self, name: str) -> RunDirectory:
        """Returns a folder for one of several trainings of this run, which shares the run.json of the run."""
        part = RunDirectory(self.path / name)
        part.path.mkdir(parents=True, exist_ok=True)
        part.facts, part._written, part._run = self.facts, self._written, self._run
        return part

    def start(self, **facts: Any) -> None:
        """Writes run.json with the status running."""
        self.facts = {
            "status": "running",
            "started": _now(),
            "finished": None,
            "command": sys.argv,
            "working_directory": str(Path.cwd()),
            "versions": versions(),
            "platform": platform.platform(),
            "host": platform.node(),
            "pid": os.getpid(),
            "git": git(),
            "test_scorings": [],
            **facts,
        }
        self.record()

    def resume(self, changes: Sequence[Mapping[str, Any]] = (), **facts: Any) -> None:
        """Writes the run.json of a run that continues; `resumed` lists each time with its command.

        `changes` are settings that are others from an epoch on; they join those of earlier times.
        """
        remove_unfinished(self.path)
        self.facts = json.loads((self.path / "run.json").read_text("utf-8"))
        for name in ("error", "seconds", "reached"):
            self.facts.pop(name, None)
        resumed = [*self.facts.get("resumed", []), {"at": _now(), "command": sys.argv}]
        if changes:
            self.facts["changes"] = [*self.facts.get("changes", []), *changes]
        process = {"host": platform.node(), "pid": os.getpid()}
        self.record(status="running", finished=None, resumed=resumed, **process, **facts)

    def record(self, **facts: Any) -> None:
        """Adds facts to run.json."""
        self.facts |= facts
        # As it is read back: a number that is not finite is null then.
        self.facts[OWN_HASH] = own_hash(json.loads(_as_json(self.facts)))
        self._run.write_json(RUN_FILE, self.facts)

    def finish(self, status: str, **facts: Any) -> None:
        """Writes the last status: completed, failed, pruned or interrupted."""
        self.record(status=status, finished=_now(), **{HASHES: hashes(self._run.path)}, **facts)

    def record_files(self) -> None:
        """Adds the hashes of the files to run.json, by which later damage is known."""
        self.record(**{HASHES: hashes(self._run.path)})

    def record_test_scoring(self, rows: int, **facts: Any) -> None:
        """Records a scoring: when, by which command, on how many rows, and further facts about them."""
        scoring = {"at": _now(), "command": sys.argv, "rows": rows, **facts}
        self.record(test_scorings=[*self.facts.get("test_scorings", []), scoring])

    def write_json(self, name: str, content: Any) -> None:
        """Writes a JSON file; numbers that are not finite become null."""
        self.write_text(name, _as_json(content) + "\n")

    def write_lists(self, name: str, lists: Mapping[str, npt.NDArray[Any]]) -> None:
        """Writes a JSON file of long lists in portions, since one text of them would need too much memory."""
        with replace_file(self.path / name) as path, path.open("w", encoding="utf-8") as file:
            for place, (key, items) in enumerate(lists.items()):
                file.write(f"{',' if place else '{'}\n  {json.dumps(key)}: [")
                for first in range(0, len(items), CHUNK_ITEMS):
                    some = items[first : first + CHUNK_ITEMS].tolist()
                    file.write(f"{',' if first else ''}\n    " + ",\n    ".join(map(_in_json, some)))
                file.write("\n  ]" if len(items) else "]")
            file.write("\n}\n")
        self._written.add(self.path / name)

    def write_text(self, name: str, text: str) -> None:
        """Writes a text file."""
        with replace_file(self.path / name) as path:
            path.write_text(text, encoding="utf-8")
        self._written.add(self.path / name)

    def erase(self) -> None:
        """Removes what was written so far, with Hydra's record, since a run that cannot begin leaves nothing."""
        for path in self._written:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in self._written} - {self.path}, reverse=True):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.path / ".hydra", ignore_errors=True)


def add_test_scoring(path: Path, rows: int, **facts: Any) -> None:
    """Records in a finished run that its model was scored on other rows."""
    with waiting_for(path):  # two scorings at once must not overwrite each other
        directory = RunDirectory(path)
        directory.facts = json.loads((path / "run.json").read_text("utf-8"))
        directory.record_test_scoring(rows, **facts)


def _as_json(content: Any) -> str:
    return json.dumps(finite(content), indent=2, ensure_ascii=False, default=str)


def _in_json(item: Any) -> str:
    return str(item) if type(item) is int else json.dumps(item, ensure_ascii=False, default=str)


def finite(content: Any) -> Any:
    """Copies nested content with None for each number that is not finite, which JSON cannot express."""
    if isinstance(content, dict):
        return {str(key): finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    if isinstance(content, float) and not abs(content) < float("inf"):
        return None
    return content


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True)
class Claim:
    """A directory that belongs to this run; `created` tells whether it did not exist before."""

    path: Path
    created: bool

    def release(self) -> None:
        """Removes the directory if it was created for this run, else Hydra's record, unless a run has begun in it."""
        if not any(self.path.rglob("run.json")):
            shutil.rmtree(self.path if self.created else self.path / ".hydra", ignore_errors=True)


def claim(directory: Path, *, key: str, chosen: bool) -> Claim:
    """Creates a directory, or takes the existing one that the user chose, and locks it.

    Unless `chosen`, it is the first free one of directory, directory_2, directory_3, …; `key` names it in errors.

    Raises:
        ConfigError: If it cannot be created, or holds another run.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        if chosen:
            return _take(directory, key)
        for number in itertools.count(1):
            path = directory if number == 1 else directory.with_name(f"{directory.name}_{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            lock(path)
            return Claim(path, created=True)
    except OSError as error:
        raise ConfigError(
            f"{key}: the directory '{directory}' cannot be made ({error.strerror}: '{error.filename}'). "
            f"Choose another with {key}=…"
        ) from error
    raise AssertionError("unreachable: the numbers do not end")


def _take(directory: Path, key: str) -> Claim:
    try:
        directory.mkdir()
        created = True
    except FileExistsError:
        if not directory.is_dir():
            raise
        created = False
        _refuse_used(directory, key)  # nothing is written into it, not even a lock
    lock(directory)
    if not created:
        try:
            _refuse_used(directory, key)  # another run may have chosen it at the same time
        except ConfigError:
            unlock(directory)
            raise
    return Claim(directory, created)


def _refuse_used(directory: Path, key: str) -> None:
    found = sorted(path.name for path in directory.iterdir() if path.name not in LEFT_AT_ONCE)
    traces = [name for name in MARKER_FILES if name in found]
    if found:
        what = f"another run ({traces[0]})" if traces else f"other files ({found[0]})"
        raise ConfigError(f"{key}: '{directory}' holds {what}. Choose another one, such as {key}=outputs/new.")
