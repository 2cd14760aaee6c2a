"""Writes what a run tells to the terminal, to its log and to its directory, also when it fails."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from dltrain.base.console import PrintableConsole, standard_output
from dltrain.base.errors import ConfigError, DataError, DltrainError, PrunedError
from dltrain.base.files import replace_file
from dltrain.base.lock import lock, unlock
from dltrain.base.notes import counted
from dltrain.config.build import build
from dltrain.config.fingerprint import fingerprint
from dltrain.config.settings import choices_of, settings_of
from dltrain.config.validate import keys
from dltrain.data.checks import as_json
from dltrain.data.dataset import Dataset
from dltrain.data.finding import Finding
from dltrain.data.split import Split
from dltrain.experiment.early import EarlyDataset
from dltrain.experiment.header import facts_of, trainable
from dltrain.experiment.log import start_logging, stop_logging
from dltrain.experiment.terminal import show_header, show_how_to_go_on, show_results
from dltrain.preprocessing.prepared import Prepared
from dltrain.record.run_directory import RunDirectory
from dltrain.record.state_file import can_go_on
from dltrain.record.trust import CONFIG, remember
from dltrain.scoring.evaluation import Results
from dltrain.training.monitor import described

logger = logging.getLogger("dltrain")


class Journal:
    """The record of one run. As a context manager it writes the last status, also after a failure.

    `path` is the run directory, which exists. `recorded` is the run.json of the run that is resumed or repeated; None
    takes Hydra's current job. `resumes` tells whether an interrupted run continues in its directory; `changes` are the
    settings that it takes up from there on, as run.json lists them. Unless `shows`, the terminal gets nothing but the
    progress of the training: a caller in Python gets the rest as an object. `early` is the dataset, if it was read and
    shown before.
    """

    def __init__(
        self,
        config: DictConfig,
        path: Path,
        *,
        recorded: Mapping[str, Any] | None = None,
        resumes: bool = False,
        changes: Sequence[Mapping[str, Any]] = (),
        shows: bool = True,
        early: EarlyDataset | None = None,
        tracks: bool = False,
    ) -> None:
        self.config = config
        self.directory = RunDirectory(path)
        self.quiet = config.quiet
        hydra = None if recorded is not None else HydraConfig.get()
        self.in_sweep = hydra is not None and hydra.mode == RunMode.MULTIRUN
        # dltrain's own sweeper shows its jobs itself, a line each.
        in_line = self.in_sweep and hydra is not None and "dltrain" in hydra.sweeper["_target_"] and not config.verbose
        self.live = PrintableConsole(quiet=True) if in_line else standard_output()
        self.console = self.live if shows or config.verbose else PrintableConsole(quiet=True)
        self._overrides = list(hydra.overrides.task) if hydra else list((recorded or {}).get("overrides", []))
        self._choices = choices_of(hydra.runtime.choices) if hydra else dict((recorded or {}).get("choices", {}))
        # A recorded config is resolved, so that only its record tells which settings refer to another key.
        self._settings = (recorded or {}).get("settings")
        self.resumes = resumes
        self._changes = [dict(each) for each in changes]
        every = [*(recorded or {}).get("changes", []), *changes]
        self.changed: Mapping[str, int] = {each["key"]: each["epoch"] for each in every}
        # A repetition only compares numbers, so it is not tracked; `tracks` says that what is recorded is a new run.
        self._trackers = _trackers(config.get("tracking")) if recorded is None or resumes or tracks else []
        self._began = time.monotonic()
        self._begun = False
        self._early = early

    @classmethod
    def open(cls, config: DictConfig, *, shows: bool = True, early: EarlyDataset | None = None) -> Journal:
        """Opens the journal of Hydra's current job; an interrupted job of a sweep continues from its saved state."""
        hydra = HydraConfig.get()
        path = Path(hydra.runtime.output_dir)
        resumes = hydra.mode == RunMode.MULTIRUN and can_go_on(path)
        return cls(config, path, resumes=resumes, shows=shows, early=early)

    def __enter__(self) -> Self:
        self._locked = lock(self.path)
        settings = settings_of(self.config)
        facts = {
            "settings": {key: settings[key] for key in settings if self._settings is None or key in self._settings},
            "config_sha256": fingerprint(self.config),
            "device": _device(),
            "notes": [note.strip() for note in self._early.notes] if self._early else [],
            "warnings": [],
        }
        resolved = OmegaConf.to_yaml(self.config, resolve=True)
        kept = {path.name: path for path in (self.path / "run.json", self.path / "config.yaml") if path.exists()}
        if self.resumes:
            self._before = {path: path.read_bytes() for path in kept.values()}
        elif kept and not _was_cut_off_at_once(kept, resolved):
            self._unlock()
            raise ConfigError(f"'{self.path}' holds another run ({next(iter(kept))}). Choose another directory.")
        # Written before run.json, since a run that has a run.json can be resumed.
        self.directory.write_text("config.yaml", resolved)
        remember(self.path / CONFIG)
        if self.resumes:
            self.directory.resume(self._changes, **facts)
        else:
            self.directory.start(seed=self.config.seed, overrides=self._overrides, choices=self._choices, **facts)
        start_logging(
            self.path / "dltrain.log",
            self.console,
            quiet=self.quiet,
            verbose=self.config.verbose,
            before=self._early.kept if self._early else (),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self.directory.facts["status"] == "running":
            cut_off = isinstance(error, (KeyboardInterrupt, SystemExit))
            status = "interrupted" if cut_off else "pruned" if isinstance(error, PrunedError) else "failed"
            if not isinstance(error, DltrainError) or error.__cause__ is not None:
                logger.debug("The run ended with %s", kind, exc_info=error)
            self.directory.finish(status, error=_in_words(error), seconds=self._seconds())
            if status == "interrupted":
                show_how_to_go_on(self.console, self.directory.facts, self.path)
        for tracker in self._trackers:
            tracker.end(self.directory, register=not self.in_sweep)
        stop_logging()
        refused = isinstance(error, DltrainError) and error.exit_code == 2 and not self._begun
        if refused and self.resumes:
            for path, content in self._before.items():
                with replace_file(path) as temporary:
                    temporary.write_bytes(content)
        elif refused and not self.in_sweep:
            self.directory.erase()
            (self.path / "dltrain.log").unlink()
        self._unlock()

    def _unlock(self) -> None:
        if self._locked:
            unlock(self.path)

    @property
    def typed(self) -> list[str]:
        """The keys and groups that were typed on the command line."""
        return keys(self._overrides)

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    def part(self, name: str) -> Journal:
        """Returns the journal of one of several trainings of this run, with its own folder; it prints only notes."""
        part = copy.copy(self)
        part.directory = self.directory.part(name)
        part._trackers = []
        part.quiet, part.console = True, PrintableConsole(quiet=True)
        part.live = part.console
        return part

    def note(self, text: str) -> None:
        """Tells what was done, once, in log, terminal and run.json."""
        if text.strip() in self.directory.facts["notes"]:
            return
        logger.info(text)
        self.directory.facts["notes"].append(text.strip())

    def warn(self, text: str) -> None:
        """Tells what a person should look at, in log, terminal and run.json."""
        logger.warning(text)
        self.directory.facts["warnings"].append(text)

    def split(self, dataset: Dataset, split: Split) -> None:
        """Writes splits.json and the hash of the data; refuses data that has changed since a resumed run began."""
        before, found = self.directory.facts.get("data"), dataset.sha256()
        if self.resumes and before and before["sha256"] != found:
            raise DataError(
                f"Dataset {dataset.name} has changed since the run began: {before['rows']:,} rows with the hash "
                f"{before['sha256'][:12]}… then, {len(dataset):,} rows with {found[:12]}… now. "
                "Bring the old data back, or start a new run."
            )
        ids = {part: dataset.row_ids[rows] for part, rows in split.parts().items() if len(rows)}
        used = np.zeros(len(dataset), dtype=bool)
        for rows in split.parts().values():
            used[rows] = True
        gap = dataset.row_ids[~used]
        self.directory.write_lists("splits.json", ids | ({"gap": gap} if len(gap) else {}))
        data = {
            "name": dataset.name,
            "rows": len(dataset),
            "parts": {part: len(rows) for part, rows in ids.items()},
            "sha256": found,
            "source": dataset.source,
        }
        self.directory.record(data=data)
        if len(gap):
            self.note(f"{counted(len(gap), 'row')} in the gap of split.gap before a part are in no part")

    def check(self, found: Sequence[Finding]) -> None:
        """Writes the findings of the data checks to run.json, and warnings and hints to the terminal too."""
        self.directory.record(checks=as_json(found))
        for finding in found:
            if finding.severity == "warning":
                self.warn(f"{finding.check}: {finding.sentence}")
            elif finding.severity == "hint":
                self.note(f"{finding.check}: {finding.sentence}")
            else:
                logger.debug("%s: %s", finding.check, finding.sentence)

    def header(self, data: Prepared, network: keras.Model, batch_size: int) -> None:
        """Shows what was learned for the preprocessing and what will be done, and starts the trackers."""
        for note in data.preprocessing.notes:
            self.note(note)
        show_header(self.console, facts_of(self.config, data, network, batch_size), quiet=self.quiet)
        self.directory.record(
            task=data.target.task,
            batch_size=batch_size,
            steps_per_epoch=-(-len(data.split.train) // batch_size),
            trainable_parameters=trainable(network),
            metric_traits=described(network),
        )
        name = f"{self.path.parent.name}/{self.path.name}" if self.in_sweep else self.path.name
        self.track(name, settings_of(self.config))

    def track(self, name: str, settings: Mapping[str, Any]) -> None:
        """Starts the trackers of the run under a name, once its data and its `settings` are known."""
        for tracker in self._trackers:
            tracker.begin(
                self.directory,
                name,
                {**settings, **self._choices},
                {"directory": self.path, "data_sha256": self.directory.facts["data"]["sha256"]}
                | {"git_commit": (self.directory.facts["git"] or {}).get("commit")},
            )

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Sends the values of an epoch (from 1) to the trackers of the run."""
        for tracker in self._trackers:
            tracker.epoch(number, values)

    def stopped_early(self, history: Sequence[dict[str, float]]) -> None:
        """Records the last epoch and its metrics of a training that is interrupted."""
        self.directory.facts["reached"] = {
            "epoch": len(history),
            "epochs": self.config.trainer.epochs,
            "metrics": dict(history[-1]) if history else {},
        }

    def seconds_per_epoch(self, found: tuple[float, float] | None) -> None:
        """Records the seconds of the fastest and of the median epoch; None after a single one, with its tracing."""
        fastest, median = found or (None, None)
        for name, seconds in (("seconds_per_epoch", fastest), ("median_seconds_per_epoch", median)):
            self.directory.facts[name] = None if seconds is None else round(seconds, 6)

    def training_begins(self) -> None:
        """Marks the start of the training: a run that fails later keeps its directory, whatever the fault."""
        self._begun = True

    def finish(self, results: Results) -> None:
        """Writes metrics.json and the status completed, and shows the final table."""
        # Of fewer epochs; a kill must not leave them beside new numbers.
        for stale in ("report.html", "insights.json", "what_if.json"):
            (self.path / stale).unlink(missing_ok=True)
        self.directory.write_json("metrics.json", results.as_json())
        self.directory.finish("completed", seconds=self._seconds())
        averaged = not results.epochs or (self.config.cv is not None and self.config.cv.ensemble)
        show_results(self.console, results, self.path, averaged=averaged)

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _trackers(node: DictConfig | None) -> list[Any]:
    """Builds the trackers of a config: several by name, or a single one that stands at the key itself.

    Raises:
        ConfigError: If one of them cannot be built; all such faults are named.
    """
    nodes = {f"tracking.{name!s}": each for name, each in (node or {}).items() if each is not None}
    if node and "_target_" in node:
        nodes = {"tracking": node}
    built, faults = [], []
    for key, each in nodes.items():
        try:
            built.append(build(each, key=key, config_key=key))
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return built


def _in_words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted (Ctrl-C)"
    if isinstance(error, SystemExit) and error.code == 143:
        return "terminated (SIGTERM)"
    return str(error) or type(error).__name__


def _was_cut_off_at_once(kept: Mapping[str, Path], resolved: str) -> bool:
    """Returns whether the directory holds only the config of the same run, which ended before it wrote run.json."""
    return list(kept) == ["config.yaml"] and kept["config.yaml"].read_text("utf-8") == resolved


def _device() -> str:
    return ", ".join(device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices())
