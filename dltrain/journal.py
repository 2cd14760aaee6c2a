"""What a run tells: to the terminal, to its log and into its directory, whatever happens."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from dltrain.config.validate import typed
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.errors import DltrainError
from dltrain.evaluation import Results
from dltrain.inference.signature import FILE as SIGNATURE_FILE
from dltrain.inference.signature import describe
from dltrain.prepared import Prepared
from dltrain.rundir import RunDirectory
from dltrain.settings import choices_of, settings_of
from dltrain.terminal import show_header, show_results, start_logging, stop_logging

logger = logging.getLogger("dltrain")


class Journal:
    """The record of one run. As a context manager it writes the last status, also after a failure.

    Args:
        config: composed and checked.
        path: the run directory; it exists.
    """

    def __init__(self, config: DictConfig, path: Path) -> None:
        self.config = config
        self.directory = RunDirectory(path)
        self.quiet = config.quiet
        plain = not sys.stdout.isatty() or os.environ.get("CI", "").lower() == "true"
        self.console = Console(force_terminal=False if plain else None, width=120 if plain else None)
        self._in_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
        self._began = time.monotonic()

    @classmethod
    def open(cls, config: DictConfig) -> Journal:
        """The journal of Hydra's current job."""
        return cls(config, Path(HydraConfig.get().runtime.output_dir))

    def __enter__(self) -> Self:
        start_logging(
            self.directory.path / "dltrain.log",
            self.console,
            quiet=self.quiet,
            verbose=self.config.verbose,
        )
        self.directory.start(
            seed=self.config.seed,
            overrides=list(HydraConfig.get().overrides.task),
            choices=choices_of(HydraConfig.get().runtime.choices),
            settings=settings_of(self.config),
            device=_device(),
            notes=[],
            warnings=[],
        )
        self.directory.write_text("config.yaml", OmegaConf.to_yaml(self.config, resolve=True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            status = "interrupted" if isinstance(error, (KeyboardInterrupt, SystemExit)) else "failed"
            if not isinstance(error, DltrainError):
                logger.debug("The run ended with %s", kind, exc_info=error)
            self.directory.finish(status, error=str(error) or type(error).__name__, seconds=self._seconds())
        stop_logging()
        begun = bool(self.directory.facts["test_scorings"])  # a bad test row comes to light after the training
        if isinstance(error, DltrainError) and error.exit_code == 2 and not self._in_sweep and not begun:
            self.directory.erase()
            (self.path / "dltrain.log").unlink()

    @property
    def typed(self) -> list[str]:
        """The keys and groups that were typed on the command line."""
        return typed(HydraConfig.get())

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    def note(self, text: str) -> None:
        """Tells what was done: log, terminal and run.json."""
        logger.info(text)
        self.directory.facts["notes"].append(text.strip())

    def warn(self, text: str) -> None:
        """Tells what a person should look at: log, terminal and run.json."""
        logger.warning(text)
        self.directory.facts["warnings"].append(text)

    def split(self, dataset: Dataset, split: Split) -> None:
        """Writes splits.json and the hash of the data."""
        ids = {part: [_plain(row) for row in dataset.row_ids[rows]] for part, rows in split.parts().items()}
        self.directory.write_json("splits.json", ids)
        data = {
            "name": dataset.name,
            "rows": len(dataset),
            "sha256": dataset.sha256(),
            "source": dataset.source,
        }
        self.directory.record(data=data)

    def header(self, data: Prepared, network: keras.Model, batch_size: int) -> None:
        """Tells what will be done."""
        dataset, split, target = data.dataset, data.split, data.target
        rows = {part: len(rows) for part, rows in split.parts().items()}
        many = target.task == "multilabel"
        steps = -(-rows["train"] // batch_size)
        features = ", ".join(
            f"{name} {'x'.join(map(str, out.shape[1:]))}" for name, out in data.preprocessing.model.output.items()
        )
        trainable = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
        epochs = self.config.trainer.epochs
        learning_rate = float(network.optimizer.learning_rate)
        facts = {
            "data": f"{dataset.name}: {len(dataset):,} rows, {_count(len(dataset.columns), 'column')}",
            "split": ", ".join(f"{part} {count:,}" for part, count in rows.items()),
            "task": target.task
            + (f", {len(target.classes)} {'labels' if many else 'classes'}" if target.classes else ""),
            "features": features,
            "model": f"{self.config.model['_target_'].rpartition('.')[2]}, {trainable:,} trainable parameters"
            + (f", {network.count_params() - trainable:,} fixed" if network.count_params() > trainable else ""),
            "optimizer": f"{type(network.optimizer).__name__}, learning rate {learning_rate:g}",
            "training": f"at most {_count(epochs, 'epoch')} x {_count(steps, 'step')} of {batch_size:,} rows, "
            f"{'resident' if data.resident else 'streaming'} engine, seed {self.config.seed}",
            "directory": str(self.path),
        }
        show_header(self.console, facts, quiet=self.quiet)
        self.directory.record(batch_size=batch_size, steps_per_epoch=steps, trainable_parameters=trainable)

    def signature(self, data: Prepared) -> None:
        """Writes signature.json: what the model takes and gives."""
        target, dataset = data.target, data.dataset
        signature = describe(
            dataset.take(data.split.train),
            task=target.task,
            classes=target.classes,
            offset=target.offset,
            scale=target.scale,
            known_words=data.preprocessing.known_words,
            source=self.config.dataset,
        )
        self.directory.write_json(SIGNATURE_FILE, signature.as_json())

    def finish(self, results: Results) -> None:
        """Writes metrics.json and the status completed, and shows the final table."""
        self.directory.write_json("metrics.json", results.as_json())
        self.directory.finish("completed", seconds=self._seconds())
        show_results(self.console, results, self.path)

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _device() -> str:
    return ", ".join(device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices())


def _plain(row: Any) -> Any:
    return row.item() if isinstance(row, np.generic) else row
