"""What a run leaves in its directory, however it ends; nothing is trained here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError, DataError, DltrainError, PrunedError, RunError
from dltrain.base.lock import lock
from dltrain.data.finding import Finding
from dltrain.data.split import Split
from dltrain.experiment import journal as module
from dltrain.experiment.journal import Journal


@pytest.fixture
def make(compose_config: Any, tmp_path: Path) -> Callable[..., Journal]:
    def make(*overrides: str, **more: Any) -> Journal:
        return Journal(compose_config(*overrides), tmp_path, **more)

    return make


def facts(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / "run.json").read_text())
    return found


def end(journal: Journal, error: BaseException, act: Callable[[Journal], None] = lambda journal: None) -> None:
    """Lets a run that has done something end with an error."""

    def run() -> None:
        with journal:
            assert facts(journal.path)["status"] == "running"
            act(journal)
            raise error

    with pytest.raises(type(error)):
        run()


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (KeyboardInterrupt(), "interrupted", "interrupted (Ctrl-C)"),
        (SystemExit(143), "interrupted", "terminated (SIGTERM)"),
        (PrunedError("others are better"), "pruned", "others are better"),
        (RunError("diverged"), "failed", "diverged"),
        (ValueError("a bug"), "failed", "a bug"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_last_status_is_written_whatever_happens(
    make: Any, tmp_path: Path, error: BaseException, status: str, told: str
) -> None:
    end(make(), error)
    found = facts(tmp_path)
    assert (found["status"], found["error"]) == (status, told)
    assert found["finished"] >= found["started"]
    traced = "Traceback" in (tmp_path / "dltrain.log").read_text()
    assert traced is not isinstance(error, DltrainError)


def test_finished_run_has_its_metrics(make: Any, make_results: Any, tmp_path: Path, capsys: Any) -> None:
    with make() as journal:
        journal.finish(make_results())
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["test"] == {"loss": 0.5, "auc": None}
    assert facts(tmp_path)["status"] == "completed"
    assert "best epoch 2 of 3" in capsys.readouterr().out


@pytest.mark.parametrize("begun", [False, True])
def test_run_that_is_refused_leaves_nothing_until_its_training_begins(make: Any, tmp_path: Path, begun: bool) -> None:
    end(make(), DataError("no such file"), lambda journal: journal.training_begins() if begun else None)
    left = {"config.yaml", "run.json", "dltrain.log"} if begun else set()
    assert {path.name for path in tmp_path.iterdir()} == left


def test_notes_are_told_once_and_warnings_each_time(make: Any, tmp_path: Path, capsys: Any) -> None:
    with make("quiet=false") as journal:
        for _ in range(2):
            journal.note("  12 rows dropped")
            journal.warn("look")
    out = capsys.readouterr().out
    assert (out.count("12 rows dropped"), out.count("look")) == (1, 2)
    assert journal.directory.facts["notes"] == ["12 rows dropped"]
    assert journal.directory.facts["warnings"] == ["look", "look"]


def test_findings_are_recorded_and_only_warnings_shown(make: Any, tmp_path: Path, capsys: Any) -> None:
    with make() as journal:
        journal.check([Finding("leaks", "warning", "A leak.", ("a",)), Finding("drift", "note", "A drift.")])
    assert "leaks: A leak." in (out := capsys.readouterr().out)
    assert "drift" not in out
    assert [found["check"] for found in facts(tmp_path)["checks"]] == ["leaks", "drift"]


def test_directory_of_another_run_is_refused_and_free_again(make: Any, tmp_path: Path) -> None:
    with make():
        pass
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(ConfigError, match=r"holds another run \(run\.json\)"):
        make().__enter__()
    assert (tmp_path / "run.json").read_bytes() == before
    assert lock(tmp_path)


def test_parts_are_written_and_other_data_is_refused_when_the_run_goes_on(
    make: Any, make_dataset: Any, tmp_path: Path
) -> None:
    dataset = make_dataset({"a": np.arange(4.0)}, row_ids=np.array([10, 11, 12, 13]))
    split = Split(np.array([0, 2]), np.array([], int), np.array([3]))
    end(make(), RunError("later"), lambda journal: journal.split(dataset, split))
    assert json.loads((tmp_path / "splits.json").read_text()) == {"train": [10, 12], "test": [13], "gap": [11]}
    assert facts(tmp_path)["data"]["parts"] == {"train": 2, "test": 1}
    before = (tmp_path / "run.json").read_bytes()
    with make(recorded=facts(tmp_path), resumes=True) as journal:
        assert "error" not in journal.directory.facts
        journal.split(dataset, split)
    (tmp_path / "run.json").write_bytes(before)
    other, resumed = make_dataset({"a": np.arange(4.0) + 1}), make(recorded=facts(tmp_path), resumes=True)
    with pytest.raises(DataError, match="has changed since the run began: 4 rows"), resumed:
        resumed.split(other, split)
    assert (tmp_path / "run.json").read_bytes() == before


def test_one_of_several_trainings_has_a_folder_and_shares_the_facts(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    class Tracker:
        epochs: list[int] = []  # noqa: RUF012

        def epoch(self, number: int, values: Any) -> None:
            self.epochs.append(number)

        def end(self, directory: Any, *, register: bool) -> None:
            pass

    monkeypatch.setattr(module, "build", lambda node, key, config_key: Tracker())
    with make("tracking=mlflow") as journal:
        part = journal.part("cv/fold_1")
        part.note("told of the part")
        part.console.print("silent")
        part.epoch(1, {})
        journal.epoch(2, {})
    assert part.path == tmp_path / "cv" / "fold_1"
    assert part.path.is_dir()
    assert journal.directory.facts["notes"] == ["told of the part"]
    assert Tracker.epochs == [2]
    assert "silent" not in capsys.readouterr().out


@pytest.mark.parametrize("resumes", [False, True])
@pytest.mark.parametrize(
    ("tracking", "keys"),
    [
        (None, []),
        ({"_target_": "own.Tracker"}, ["tracking"]),  # of an earlier version
        ({"one": {"_target_": "own.Tracker"}, "two": None, "three": {"_target_": "own.Tracker"}},
         ["tracking.one", "tracking.three"]),
    ],
)  # fmt: skip
def test_each_tracker_is_built_with_its_key_and_none_for_a_repetition(
    compose_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resumes: bool, tracking: Any, keys: list[str]
) -> None:
    config = compose_config().copy()
    OmegaConf.update(config, "tracking", tracking, force_add=True)
    built: list[str] = []
    monkeypatch.setattr(module, "build", lambda node, key, config_key: built.append(config_key))
    Journal(config, tmp_path, recorded={} if resumes else None, resumes=resumes)
    assert built == keys
    built.clear()
    Journal(config, tmp_path, recorded={})
    assert built == []


def test_how_far_a_training_came_and_how_fast_it_was(make: Any) -> None:
    with make("trainer.epochs=9") as journal:
        journal.stopped_early([{"loss": 2.0}, {"loss": 1.0}])
        journal.seconds_per_epoch((0.12345678, 0.2))
        assert journal.directory.facts["reached"] == {"epoch": 2, "epochs": 9, "metrics": {"loss": 1.0}}
        assert journal.directory.facts["seconds_per_epoch"] == 0.123457
        assert journal.directory.facts["median_seconds_per_epoch"] == 0.2
        journal.stopped_early([])
        assert journal.directory.facts["reached"]["metrics"] == {}
