"""Shows a sweep while it runs: a line for each job that has ended, and what the jobs tell of their data once.

Jobs write nothing to the terminal, since they may run anywhere; all that is shown is read from their files.
"""

from __future__ import annotations

import csv
import json
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from dltrain.base.console import show_sentence, telling
from dltrain.base.interactive import NotebookLine, is_notebook
from dltrain.base.plain_table import seconds
from dltrain.base.printable import printable_line
from dltrain.config.fingerprint import WITHOUT_INFLUENCE, group_of
from dltrain.config.recipes import recipe_of
from dltrain.sweeps.clock import Clock
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.ranking import ranked
from dltrain.sweeps.remaining import Job

SECONDS = 0.25  # between two looks at the files
MOST_LIVE = 8  # lines for jobs that run at the same time
# What differs from job to job in a sentence that says the same.
_NUMBERS = re.compile(r"\(rows [^)]*\)|\d[\d,.]*")


class Watch:
    """Looks at the files of a sweep again and again, in a thread, until its context ends.

    `common` holds the words that all jobs share, `total` is the number of jobs that the sweep shall have, None if a
    `clock` ends it, and `known` are those of them whose words are known by now.
    """

    def __init__(
        self,
        ledger: Ledger,
        console: Console,
        *,
        common: Sequence[str],
        total: int | None,
        known: Sequence[Job] = (),
        clock: Clock | None = None,
    ) -> None:
        self.ledger, self.console, self.total, self.clock = ledger, console, total, clock
        self._common = set(common)
        self._shown = {entry.job for entry in ledger.entries()}
        self._told: dict[str, str] = {}  # sentences without their numbers, with the job that told them
        self._lines: set[str] = set()
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._facts: dict[str, dict[str, Any]] = {}  # run.json of each job that runs
        self._running: dict[str, str] = {}  # the words of each job that may run, by its directory
        self._space = max((len(self._words(job.overrides)) for job in known), default=0)
        self._tells = telling.get()
        self._live: RichProgress | None = None
        self._line = (
            NotebookLine(total or int(clock.seconds if clock else 0)) if is_notebook() and not console.quiet else None
        )
        self._tasks: dict[str, TaskID] = {}
        self._end = threading.Event()
        self._look_at_once = threading.Lock()
        self.thread = threading.Thread(target=self._go_on, name="dltrain-watch", daemon=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal and not self._line:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=10),
                TextColumn("{task.fields[state]}", markup=False),
            )
            self._live = RichProgress(*columns, console=self.console, transient=True)
            self._live.start()
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self.thread.join()
        self.look()
        if self._live:
            self._live.stop()
        if self._line:
            self._line.show(self._done(), f"{len(self._shown)} of {self.total or len(self._shown)} jobs")
            self._line.close()

    def runs(self, jobs: Sequence[Job]) -> None:
        """Is told which jobs run now."""
        self._running = {job.name: self._words(job.overrides) for job in jobs if job.name}
        self.look()

    def look(self) -> None:
        """Shows what has changed since the last look."""
        with self._look_at_once:
            if self._has_changed(self.ledger.path):
                for entry in self.ledger.entries():
                    if entry.job not in self._shown:
                        self._show(entry)
            here = [job for job in self._running if job not in self._shown]
            begun = [job for job in here if (self.ledger.sweep / job / "run.json").exists()]
            for job in begun:
                self._tell(job)
            if self._live:
                self._show_live((begun or here[:1])[:MOST_LIVE])
            if self._line and (begun or here):
                job = (begun or here)[0]
                words = f"{self._number(len(self._shown) + 1)} {self._running[job]}  {self._state(job)[2]}"
                self._line.show(self._done(), words)

    def _go_on(self) -> None:
        while not self._end.wait(SECONDS):
            self.look()

    def _words(self, overrides: Sequence[str]) -> str:
        if found := recipe_of(overrides):
            return printable_line(" ".join([found[0], *found[1]]))
        own = [word for word in overrides if word not in self._common and group_of(word) not in WITHOUT_INFLUENCE]
        return printable_line(" ".join(own))

    def _number(self, place: int) -> str:
        return f"[{place}]" if self.total is None else f"[{place:{len(str(self.total))}}/{self.total}]"

    def _show(self, entry: Entry) -> None:
        self._shown.add(entry.job)
        self._tell(entry.job)
        words = self._words(entry.overrides)
        self._space = max(self._space, len(words))
        parts = [
            f"{self._number(len(self._shown))} {words.ljust(self._space)}" if words else self._number(len(self._shown))
        ]
        style = ""
        if entry.status == "completed":
            parts.append(f"{entry.monitor} {'undefined' if entry.value is None else format(entry.value, '.4f')}")
            parts.append(f"epoch {entry.best_epoch} of {entry.epochs}")
            parts.append(seconds(entry.seconds))
            parts += [f"ended by {entry.ended_by}"] if entry.ended_by else []
            parts += [entry.reason] if entry.reason else []
        else:
            style = "dim" if entry.status == "pruned" else "red"
            reason = " ".join((entry.reason or "").split())
            where = f" ({entry.job}/dltrain.log)" if (self.ledger.sweep / entry.job / "dltrain.log").exists() else ""
            parts.append(reason if entry.status == "pruned" else f"failed{where}: {reason}")
        if self.clock:
            parts.append(self._standing())
        if self._tells:
            show_sentence(self.console, printable_line("  ".join(parts)), style)

    def _done(self) -> int:
        """Returns the jobs that have ended, or the seconds that are spent if a clock ends the sweep."""
        return int(self.clock.spent()) if self.clock and self.total is None else len(self._shown)

    def _standing(self) -> str:
        """Tells the best value so far, and the time that is left."""
        assert self.clock
        best = [f"best {entry.value:.4f}" for entry in ranked(self.ledger.entries())[:1]]
        return f"({', '.join([*best, f'{seconds(max(0.0, self.clock.left()))} left'])})"

    def _tell(self, job: str) -> None:
        """Shows the notes and warnings of a job that no other job has told with other numbers."""
        file = self.ledger.sweep / job / "run.json"
        if not self._has_changed(file):
            return
        try:
            facts = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            return
        self._facts[job] = facts
        for style, texts in (("dim", facts.get("notes", [])), ("yellow", facts.get("warnings", []))):
            for text in texts:
                kind = _NUMBERS.sub("#", text)
                if self._tells and text not in self._lines and self._told.setdefault(kind, job) == job:
                    self._lines.add(text)
                    show_sentence(self.console, text, style)

    def _has_changed(self, file: Path) -> bool:
        try:
            now = file.stat()
        except OSError:
            return False
        before, self._stamps[file] = self._stamps.get(file), (now.st_mtime_ns, now.st_size)
        return before != self._stamps[file]

    def _show_live(self, jobs: Sequence[str]) -> None:
        assert self._live
        for job in [job for job in self._tasks if job not in jobs]:
            self._live.remove_task(self._tasks.pop(job))
        for place, job in enumerate(jobs, start=len(self._shown) + 1):
            if job not in self._tasks:
                self._tasks[job] = self._live.add_task("", total=None, state="")
            total, epoch, state = self._state(job)
            room = self.console.width - 11 - len(state)
            words = Text(f"{self._number(place)} {self._running[job]}")
            words.truncate(max(12, room), overflow="ellipsis")
            self._live.update(
                self._tasks[job], description=words.plain, total=total, completed=epoch, state=state, refresh=True
            )

    def _state(self, job: str) -> tuple[int | None, int, str]:
        """Returns how many epochs a job has at most and has had, and a text for both with the monitored value."""
        settings = self._facts.get(job, {}).get("settings", {})
        total = settings.get("trainer.epochs")
        try:
            with (self.ledger.sweep / job / "history.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            last = rows[-1]
            epoch = int(last["epoch"])
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None, 0, ""  # it has not begun, or trains several folds or seeds
        monitor = next((name for name in (settings.get("task.monitor"), "val_loss", "loss") if name in last), None)
        value = f"  {monitor} {float(last[monitor]):.4f}" if monitor and last[monitor] else ""
        return total, epoch, printable_line(f"epoch {epoch:{len(str(total))}}/{total}{value}")
