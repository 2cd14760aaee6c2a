"""Trains the network of a run and keeps the best weights."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.base.errors import RunError
from dltrain.config.build import build
from dltrain.config.seed import Seed
from dltrain.engine.distribution import replicas, require_equal_shares
from dltrain.engine.engine import Engine
from dltrain.models.network import compile_network
from dltrain.preprocessing.prepared import Prepared, training_weights
from dltrain.preprocessing.rows import Source
from dltrain.training.augmentation import build_augmentation
from dltrain.training.build_callbacks import build_callbacks
from dltrain.training.callbacks import MovingAverage
from dltrain.training.checkpoint import Checkpoint
from dltrain.training.features import features_of
from dltrain.training.interrupts import Interrupts
from dltrain.training.state import TrainingState
from dltrain.training.training_notes import TrainingNotes
from dltrain.training.transfer import FineTuning, begin_fine_tuning, carry_over, head_alone, is_fixed, stop_on_signal


@dataclass(frozen=True)
class Training:
    """The result of a training: engine with graphs, logs of each epoch, and epoch (from 1) of the weights."""

    engine: Engine
    history: list[dict[str, float]]
    best_epoch: int


class _History(keras.callbacks.Callback):
    """Keeps every epoch's logs and passes them to the notes."""

    def __init__(self, notes: TrainingNotes) -> None:
        super().__init__()
        self._notes = notes
        self.epochs: list[dict[str, float]] = []
        self._ends: list[float] = []

    @property
    def seconds_per_epoch(self) -> tuple[float, float] | None:
        """The durations of the fastest epoch, the least disturbed by other work, and of the median one."""
        took = np.diff(self._ends)
        return (float(np.min(took)), float(np.median(took))) if len(took) else None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._ends.append(time.monotonic())
        self.epochs.append(dict(logs or {}))
        self._notes.epoch(epoch + 1, self.epochs[-1])

    def get_state(self) -> list[dict[str, float]]:
        return self.epochs

    def set_state(self, epochs: list[dict[str, float]]) -> None:
        self.epochs = epochs


def resolve_batch_size(wanted: int | str, rows: int) -> int:
    """Returns the batch size: as given, or for auto all rows up to 2,000, else a power of two from 64 to 512."""
    if wanted != "auto":
        return min(int(wanted), rows)
    if rows <= 2_000:
        return rows
    return min(512, max(64, int(2 ** round(math.log2(rows / 100)))))


def compile_for(
    data: Prepared,
    network: keras.Model,
    *,
    task: DictConfig,
    optimizer: DictConfig,
    schedule: DictConfig | None,
    trainer: DictConfig,
) -> int:
    """Compiles the network as the config says, and returns the batch size."""
    rows = len(data.split.train)
    size = resolve_batch_size(trainer.batch_size, rows)
    require_equal_shares(size, rows)
    steps = -(-rows // size)

    def changing(learning_rate: float) -> object:
        return build(schedule, learning_rate, steps, trainer.epochs, key="schedule")

    compile_network(network, task, data.target, optimizer, None if schedule is None else changing)
    return size


def train_network(
    data: Prepared,
    network: keras.Model,
    *,
    task: DictConfig,
    trainer: DictConfig,
    callbacks: DictConfig,
    augmentation: DictConfig,
    batch_size: int,
    seed: Seed,
    notes: TrainingNotes,
    extra_callbacks: Sequence[keras.callbacks.Callback] = (),
    tuning: FineTuning | None = None,
) -> Training:
    """Trains until the last epoch or until a callback stops, and leaves the best weights in the network.

    `network` is compiled; `task` is the row of the head table; `callbacks` and `augmentation` are config groups;
    `tuning` says what of a frozen backbone is trained after the head.

    Raises:
        ConfigError: If a callback cannot work with this run.
        RunError: If the training diverged.
    """
    changes = build_augmentation(augmentation, data, seed.stream("augmentation"))
    offered = {"data": data, "batch_size": batch_size, "augmentation": changes, "task": task}
    offered["seed"] = seed.stream("callbacks")
    built = build_callbacks(callbacks, task, network, notes, offered)
    jit_compile = trainer.get("jit_compile", "auto")  # missing in the config of runs of earlier versions
    engine_of = functools.partial(
        Engine, batch_size=batch_size, shuffle=trainer.shuffle, seed=seed.stream("order"), jit_compile=jit_compile
    )
    engine = engine_of_head = engine_of(network, augmentation=changes)
    history = _History(notes)
    weights = training_weights(task.get("class_weight"), data.truth("train"))
    if count := replicas():
        notes.note(
            f"{count} replicas share each batch, {batch_size // count} rows each; dropout and batch statistics are "
            "each replica's own"
        )
    notes.training_begins()
    averaged = [MovingAverage()] if network.optimizer.use_ema else []
    # The history comes last, so that it sees what the others add to the logs.
    callbacks_of_run = [*averaged, *built, history]
    interrupts = Interrupts()
    state = TrainingState(
        notes.path,
        callbacks_of_run,
        seconds=trainer.save_state_seconds,
        resumes=notes.resumes,
        interrupts=interrupts,
        rate_changes=notes.changed.get("optimizer.learning_rate", 0),
    )
    first_epoch, first_step = state.beginning
    train = data.source("train", weights)
    validation = data.source("validation") if len(data.split.validation) else None
    parts: tuple[Source, Source | None] = (train, validation)
    if is_fixed(network) and engine.graphs.augmentation is None:
        head = head_alone(network, task, data)
        engine_of_head = engine_of(head)
        batch, truth = engine.graphs.evaluation_batch, data.truth("validation")
        parts = (
            features_of(network, train, data.truth("train").column, weights, batch),
            None
            if validation is None
            else features_of(network, validation, truth.column, truth.relative_weights, batch),
        )
    try:
        with interrupts:
            engine_of_head.train(
                *parts,
                epochs=trainer.epochs,
                callbacks=[*callbacks_of_run, state, *extra_callbacks],
                first_epoch=trainer.epochs if state.stopped else first_epoch,
                first_step=first_step,
            )
            best_epoch = _keep_best(built, len(history.epochs))
            if engine_of_head is not engine:
                carry_over(network, built)
            if tuning is not None:
                notes.note(begin_fine_tuning(network, tuning, built, task, data))
                engine = engine_of(network, augmentation=engine.graphs.augmentation)
                done = len(history.epochs)
                engine.train(
                    train,
                    validation,
                    epochs=done + tuning.epochs,
                    callbacks=[*callbacks_of_run, stop_on_signal(interrupts), *extra_callbacks],
                    first_epoch=done,
                )
                best_epoch = _keep_best(built, len(history.epochs))
            _call(built, "on_weights_kept", best_epoch)
            notes.seconds_per_epoch(history.seconds_per_epoch)
    except (KeyboardInterrupt, SystemExit):
        notes.stopped_early(history.epochs)
        _call(built, "on_interrupt")
        raise
    except RunError:
        notes.stopped_early(history.epochs)
        _call(built, "on_failure")
        raise
    finally:
        _call(built, "close")
    return Training(engine, history.epochs, best_epoch)


def _call(callbacks: list[keras.callbacks.Callback], hook: str, *arguments: int) -> None:
    """Calls a hook of dltrain's own on the callbacks that have it."""
    for callback in callbacks:
        if hasattr(callback, hook):
            getattr(callback, hook)(*arguments)


def _keep_best(callbacks: list[keras.callbacks.Callback], epochs: int) -> int:
    for callback in callbacks:
        if isinstance(callback, Checkpoint) and callback.best_epoch:
            callback.restore_best()
            return callback.best_epoch
    for callback in callbacks:
        restores = isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights
        if restores and callback.best_weights:
            return int(callback.best_epoch) + 1
    return epochs
