from __future__ import annotations

import csv
import gc
import json
import logging
import os
import pickle
import re
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from dltrain.api.choose_model import settle
from dltrain.config.compose import Composer
from dltrain.config.seed import Seed
from dltrain.data.dataset import Dataset

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Several workers share the cores; more threads in each only get into each other's way.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
# Caches of the tests are no concern of the person who runs them; all workers share one.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["DLTRAIN_DATA_DIR"] = tempfile.mkdtemp(prefix="dltrain-tests-")

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("dltrain", deadline=None)
hypothesis.settings.load_profile("dltrain")

# Whatever a test does not say itself: a short training on little made-up data.
SMALL = ("dataset=synthetic", "dataset.rows=60", "trainer.epochs=1", "quiet=true", "report=false")


def pytest_configure(config: pytest.Config) -> None:
    # Keras' own, wherever it turns a variable into an array under NumPy 2.
    config.addinivalue_line("filterwarnings", "ignore:__array__ implementation:DeprecationWarning")


# Files that take minutes begin first, so that none of them runs alone when the others are done.
LONGEST = (
    *("test_other_pythons.py", "test_installed.py", "test_estimators.py", "test_attack.py", "test_killed.py"),
    *("test_same_predictions.py", "test_artifact.py", "test_program.py", "test_processes.py", "test_determinism.py"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr == "slow":
        items.sort(key=lambda item: (*LONGEST, item.path.name).index(item.path.name))
    if "attack" not in config.option.markexpr:
        attacks = [item for item in items if item.get_closest_marker("attack")]
        config.hook.pytest_deselected(items=attacks)
        items[:] = [item for item in items if item not in set(attacks)]
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session", autouse=True)
def _jobs_in_this_process() -> Iterator[None]:
    """Lets the jobs of a sweep see what a test puts in the place of a function; processes are tested as commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dltrain.sweeps.preloading.cores", lambda: 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_power_cut() -> Iterator[None]:
    """Waits for no disk, as a thousand runs would; tests/base/test_files.py tells that each file asks for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def pytest_collection_finish() -> None:
    # The million objects of TensorFlow live to the end; looking at them again and again took a fifth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(7_000, 20, 20)


@dataclass(frozen=True)
class Run:
    """A finished run: its results, and its files read back."""

    path: Path
    results: Any

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text())

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.path / name).open(newline="") as file:
            return list(csv.DictReader(file))


@dataclass
class FakeJournal:
    """Keeps what the stages of a run tell."""

    path: Path | None = None
    console: Any = None
    quiet: bool = True
    typed: tuple[str, ...] = ()
    resumes: bool = False
    changed: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def live(self) -> Any:
        return self.console

    def note(self, text: str) -> None:
        self.notes.append(text.strip())

    def split(self, dataset: Dataset, split: Any) -> None:
        pass

    def stopped_early(self, epochs: Any) -> None:
        pass

    def epoch(self, number: int, values: Any) -> None:
        pass

    def seconds_per_epoch(self, found: Any) -> None:
        pass

    def warn(self, text: str) -> None:
        self.notes.append(text.strip())

    def check(self, found: Any) -> None:
        self.found = found

    def training_begins(self) -> None:
        pass

    @property
    def directory(self) -> Any:
        from dltrain.record.run_directory import RunDirectory

        assert self.path
        return RunDirectory(self.path)

    def part(self, name: str) -> FakeJournal:
        assert self.path
        (self.path / name).mkdir(parents=True, exist_ok=True)
        return FakeJournal(self.path / name, notes=self.notes)


@dataclass(eq=False)
class GraphLog(logging.Handler):
    """The functions whose graphs were traced, and those whose graphs were read from a file, as the log tells."""

    traced: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def emit(self, record: logging.LogRecord) -> None:
        if told := re.match(r"The (\w+) graph was (traced|read) in ", record.getMessage()):
            getattr(self, told[2]).append(told[1])


@dataclass
class Stage:
    """A run that stands right before its training."""

    config: DictConfig
    data: Any
    network: Any
    task: DictConfig
    batch_size: int


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_not_ignored() -> Iterator[None]:
    """Under nohup and on some CI runners they are, which every child would inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _no_hydra_job_is_left() -> Iterator[None]:
    before = HydraConfig.instance().cfg
    yield
    HydraConfig.instance().cfg = before


@pytest.fixture(scope="session")
def compose_config() -> Callable[..., DictConfig]:
    """From overrides to the checked config of the shipped conf/, without Hydra's own node, as a job gets it."""
    composer = Composer()
    composed: dict[tuple[str, ...], bytes] = {}  # since many tests compose the same twice and more

    def compose(*overrides: str) -> DictConfig:
        given = {word.split("=")[0] for word in overrides}
        small = [word for word in SMALL if word.split("=")[0] not in given]
        if "dataset" in given and "dataset=synthetic" not in overrides:
            small = [word for word in small if not word.startswith("dataset.")]
        words = (*small, *overrides)
        if words not in composed:
            composed[words] = pickle.dumps(composer.compose(settle(composer, words).overrides))
        config = pickle.loads(composed[words])
        HydraConfig.instance().cfg = pickle.loads(composed[words])
        with open_dict(config):
            del config["hydra"]
        return config

    return compose


@pytest.fixture(scope="session")
def run_in(compose_config: Callable[..., DictConfig]) -> Callable[..., Run]:
    """Runs one experiment in a folder: `run_in(tmp_path, *overrides)`."""
    from dltrain.experiment.journal import Journal
    from dltrain.experiment.run import run
    from dltrain.report.after_run import report_run

    def run_there(path: Path, *overrides: str) -> Run:
        path.mkdir(parents=True, exist_ok=True)
        config = compose_config(*overrides)
        with Journal(config, path) as journal:
            return Run(path, run(config, journal, report_run))

    return run_there


@pytest.fixture(scope="session")
def stage_of(compose_config: Callable[..., DictConfig]) -> Callable[..., Stage]:
    """Goes through a run up to its training: `stage_of(*overrides, dataset=None)`."""
    import keras

    from dltrain.experiment.experiment import assemble, pose
    from dltrain.experiment.stages import load_dataset

    def stage(*overrides: str, dataset: Dataset | None = None) -> Stage:
        config = compose_config(*overrides)
        # The names of layers are counted; from zero, so that two stages can be compared.
        keras.utils.clear_session(free_memory=False)  # which would collect all garbage
        keras.utils.set_random_seed(config.seed)
        journal: Any = FakeJournal()
        problem = pose(config, dataset or load_dataset(config.dataset, journal), journal, [])
        made = assemble(config, problem, journal)
        return Stage(config, made.data, made.network, made.task, made.batch_size)

    return stage


@pytest.fixture(scope="session")
def train_stage() -> Callable[..., Any]:
    """Trains a stage in a folder: `train_stage(stage, path)`."""
    from rich.console import Console

    from dltrain.training.train import train_network
    from dltrain.training.transfer import FineTuning

    def train(stage: Stage, path: Path) -> Any:
        journal: Any = FakeJournal(path, Console(quiet=True))
        return train_network(
            stage.data,
            stage.network,
            task=stage.task,
            trainer=stage.config.trainer,
            callbacks=stage.config.callbacks,
            augmentation=stage.config.augmentation,
            tuning=FineTuning.of(stage.config.model),
            batch_size=stage.batch_size,
            seed=Seed.of(stage.config),
            notes=journal,
        )

    return train


@pytest.fixture
def graph_log(caplog: pytest.LogCaptureFixture) -> Iterator[GraphLog]:
    """Fills while the test runs."""
    caplog.set_level(logging.DEBUG, "dltrain.engine")
    handler = GraphLog()
    logging.getLogger("dltrain.engine").addHandler(handler)
    yield handler
    logging.getLogger("dltrain.engine").removeHandler(handler)


@pytest.fixture(scope="session")
def forget_graphs() -> Callable[[], None]:
    """Lets other architectures push out the graphs that this process keeps; files of graphs stay."""
    import keras

    from dltrain.engine.shared_graphs import MOST_KEPT, graphs_of

    inputs = keras.Input((1,), name="pushes_out")
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="zeros", name="others")(inputs), name="graphs")
    model.compile("sgd", "mse")

    def forget() -> None:
        for batch_size in range(1, MOST_KEPT + 1):
            graphs_of(model, batch_size, {})

    return forget


@pytest.fixture(scope="session")
def small_backbone() -> Callable[..., Any]:
    """A network with EfficientNet's parts and few weights stands in for B0, which takes many seconds to trace."""
    import keras

    def make(*, include_top: bool, weights: None, input_shape: tuple[int, ...], name: str) -> Any:
        del include_top, weights
        image = keras.Input(input_shape)
        hidden = keras.layers.Rescaling(1 / 255)(image)
        for place in range(2):
            hidden = keras.layers.Conv2D(4, 3, strides=4, name=f"conv_{place}")(hidden)
            hidden = keras.layers.BatchNormalization(name=f"norm_{place}")(hidden)
        return keras.Model(image, keras.layers.Activation("relu", name="top")(hidden), name=name)

    return make


@pytest.fixture(scope="session")
def make_journal() -> type[FakeJournal]:
    """Makes a journal that only remembers."""
    return FakeJournal


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Dataset]:
    """A dataset of the given columns: objects are categories and bytes an image, unless `kinds` says otherwise."""

    def make(columns: dict[str, Any], target: Any = None, kinds: dict[str, Any] | None = None, **more: Any) -> Dataset:
        cells = {name: np.asarray(values) for name, values in columns.items()}
        rows = len(next(iter(cells.values())))
        inferred: dict[str, Any] = {
            name: "category" if values.dtype == object else "image" if values.dtype == np.uint8 else "numeric"
            for name, values in cells.items()
        }
        targets = (
            target if isinstance(target, dict) else {"target": np.arange(rows) % 2.0 if target is None else target}
        )
        more.setdefault("row_ids", np.arange(rows))
        return Dataset(
            name="small",
            columns=cells,
            kinds=inferred | (kinds or {}),
            target={name: np.asarray(values) for name, values in targets.items()},
            source="made up",
            **more,
        )

    return make
