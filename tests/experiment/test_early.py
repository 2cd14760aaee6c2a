from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig
from rich.console import Console

from dltrain.base.errors import DataError
from dltrain.config.compose import Composer
from dltrain.experiment import early
from dltrain.experiment.early import read_early
from dltrain.experiment.log import start_logging, stop_logging


def composed(*words: str) -> DictConfig:
    return Composer().compose(list(words))


def test_what_the_dataset_tells_is_shown_at_once_and_logged_later(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], console: Console
) -> None:
    found = read_early(composed("dataset=titanic"), shows=True)
    assert found is not None
    lines = capsys.readouterr().out.splitlines()
    assert lines == list(found.notes)
    assert len(found.dataset) == 1_309
    start_logging(tmp_path / "log", console, quiet=False, verbose=False, before=found.kept)
    stop_logging()
    text = (tmp_path / "log").read_text()
    assert all(line.strip() in text for line in lines)
    assert console.export_text() == ""


@pytest.mark.parametrize(("words", "shows"), [(["quiet=true"], True), ([], False)])
def test_quiet_runs_show_nothing(words: list[str], shows: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_early(composed("dataset=wine", *words), shows=shows)
    assert capsys.readouterr().out == ""


def test_warnings_of_libraries_are_kept_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(node: DictConfig, notes: object) -> object:
        warnings.warn("odd cells", stacklevel=1)
        return object()

    monkeypatch.setattr(early, "load_dataset", load)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        found = read_early(composed("dataset=wine"), shows=True)
    assert found is not None
    assert "odd cells" in found.kept[0].getMessage()
    assert not logging.getLogger("dltrain").handlers


@pytest.mark.parametrize("name", ["titanic", "wine", "boston", "digits", "synthetic"])
def test_datasets_draw_from_no_generator_that_the_run_seeds(name: str) -> None:
    config = composed(f"dataset={name}")
    before, drawn = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index]
    read_early(config, shows=False)
    assert random.getstate() == before
    assert (np.random.get_state()[1] == drawn).all()  # type: ignore[index]


def test_loader_from_elsewhere_is_left_to_the_run() -> None:
    config = composed("dataset=wine")
    config.dataset["_target_"] = "sklearn.datasets.load_wine"
    assert read_early(config, shows=True) is None


def test_faults_of_the_data_come_before_tensorflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "few.csv")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="expected at least 10"):
        read_early(composed("dataset=csv", "dataset.path=few.csv", "dataset.target=b"), shows=True)


@pytest.fixture
def write() -> Callable[[Path], None]:
    return lambda path: Path(path).write_text("a,b\n1,2\n3,4\n") and None
