"""What MLflow has of a run, read back with its own client. Without MLflow, the extra that brings it is named."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dltrain
from dltrain.base.errors import ConfigError, RunError
from dltrain.config.fingerprint import fingerprint
from dltrain.config.settings import differing
from dltrain.record.run_directory import RunDirectory
from dltrain.tracking.mlflow import MLflow

installed = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="MLflow is not installed")
# Its own dependencies warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")
QUICK = (
    "model=linear",
    "trainer.epochs=2",
    "callbacks=csv_history",
    "tracking=mlflow",
    "tracking.mlflow.experiment=first",
)
DIVERGING = ("dataset.problem=regression", "optimizer=sgd", "optimizer.learning_rate=1e38", "trainer.epochs=5")


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'mlflow.db'}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # artifacts go beside the database of the working directory
    return tmp_path


@pytest.fixture(scope="module")
def tracked(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run in a database of its own, what MLflow has of it, and MLflow's client."""
    import mlflow

    folder = tmp_path_factory.mktemp("tracked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = run_in(
            folder / "run", *QUICK, f"tracking.mlflow.uri={database(folder)}", "tracking.mlflow.registered_model=small"
        )
        client = mlflow.MlflowClient(database(folder))
        (found,) = client.search_runs([client.get_experiment_by_name("first").experiment_id])
        yield run, found, client


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs mlflow: pip install 'dltrain-keras\[mlflow\]'"):
        MLflow("sqlite:///mlflow.db", "any", None)


def test_tracking_decides_nothing_of_the_result(compose_config: Any) -> None:
    plain, tracked = compose_config(), compose_config("tracking=mlflow")
    assert fingerprint(plain) == fingerprint(tracked)
    assert (
        differing(
            [
                ({"tracking": "none"}, {"tracking": None}),
                ({"tracking": "mlflow"}, {"tracking.mlflow.uri": "sqlite:///a.db"}),
            ]
        )
        == []
    )


@installed
def test_settings_metrics_and_files_are_there(tracked: Any) -> None:
    run, found, client = tracked
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "run"
    assert found.data.params["trainer.epochs"] == "2"
    assert found.data.params["model"] == "linear"
    assert found.data.tags["data_sha256"] == run.json("run.json")["data"]["sha256"]
    assert run.json("run.json")["tracking"]["run_id"] == found.info.run_id
    points = [(point.step, point.value) for point in client.get_metric_history(found.info.run_id, "val_loss")]
    assert points == [(int(row["epoch"]), pytest.approx(float(row["val_loss"]))) for row in run.rows("history.csv")]
    metrics = run.json("metrics.json")
    for name, value in metrics["test"].items():
        assert found.data.metrics[f"test/{name}"] == pytest.approx(value)
    assert found.data.metrics["best_value"] == pytest.approx(metrics["best_value"])
    files = {file.path for file in client.list_artifacts(found.info.run_id)}
    assert {"config.yaml", "metrics.json", "predictions.csv", "run.json", "dltrain.log"} <= files
    assert "model.keras" not in files


@installed
def test_registered_model_answers_raw_columns_as_the_run_does(tracked: Any) -> None:
    import mlflow

    run, found, client = tracked
    (version,) = client.search_model_versions("name='small'")
    assert version.run_id == found.info.run_id
    model = mlflow.pyfunc.load_model("models:/small/1")
    columns = [column["source"] for column in run.json("signature.json")["columns"]]
    assert model.metadata.get_input_schema().input_names() == columns
    rows = pd.DataFrame({name: np.linspace(-1, 1, 3) for name in columns})
    for column in run.json("signature.json")["columns"]:
        if column["kind"] == "category":
            rows[column["source"]] = [1, 2, 3]  # numbers for a person, words for the model
    whole = rows.astype({name: int for name in columns if rows[name].dtype == np.float64})
    for frame in (rows, whole):
        pd.testing.assert_frame_equal(model.predict(frame), dltrain.load(run.path).predict(frame))


@installed
def test_run_that_goes_on_stays_the_same_run(tracked: Any, here: Path) -> None:
    run, found, client = tracked
    directory = RunDirectory(here)
    directory.facts = run.json("run.json")
    tracker = MLflow(database(run.path.parent), "first", None)
    tracker.begin(directory, "run", {"trainer.epochs": 5}, {})
    assert client.get_run(found.info.run_id).info.status == "RUNNING"
    tracker.epoch(3, {"later": 0.5})
    directory.facts["status"] = "interrupted"
    directory.record()
    tracker.end(directory, register=True)
    after = client.get_run(found.info.run_id)
    assert after.info.status == "KILLED"
    assert after.data.metrics["later"] == 0.5


@installed
def test_failed_run_is_marked_failed_with_its_reason(run_in: Any, here: Path) -> None:
    import mlflow

    with pytest.raises(RunError):
        run_in(here / "run", *QUICK, f"tracking.mlflow.uri={database(here)}", *DIVERGING)
    client = mlflow.MlflowClient(database(here))
    (found,) = client.search_runs([client.get_experiment_by_name("first").experiment_id])
    assert found.info.status == "FAILED"
    assert "learning rate" in found.data.tags["mlflow.note.content"]
    assert client.search_registered_models() == []


@installed
def test_address_that_cannot_be_used_is_refused_before_training(run_in: Any, here: Path) -> None:
    (here / "file").touch()
    with pytest.raises(ConfigError, match=r"tracking\.mlflow\.uri: 'sqlite:///.*/file/mlflow\.db' cannot be used: "):
        run_in(here / "run", *QUICK, f"tracking.mlflow.uri={database(here / 'file')}")
    assert not (here / "run" / "run.json").exists()


@installed
def test_source_and_dataset_are_shown(tracked: Any) -> None:
    run, found, _ = tracked
    facts = run.json("run.json")
    assert found.data.tags["mlflow.source.type"] == "LOCAL"
    assert found.data.tags["mlflow.source.name"].startswith("dltrain ")
    (given,) = found.inputs.dataset_inputs
    assert given.dataset.name == facts["data"]["name"]
    assert facts["data"]["sha256"].startswith(given.dataset.digest)
    assert facts["data"]["source"] in given.dataset.source


def begun(folder: Path, settings: dict[str, Any], **facts: Any) -> Any:
    """What MLflow has of a run whose training begins in a folder, and its tracker."""
    import mlflow

    folder.mkdir(parents=True, exist_ok=True)
    directory = RunDirectory(folder)
    directory.facts = {"overrides": ["optimizer=adam"], **facts}
    directory.record()
    tracker = MLflow(database(Path.cwd()), "first", None)
    tracker.begin(directory, folder.name, settings, {})
    return mlflow.MlflowClient(database(Path.cwd())).get_run(directory.facts["tracking"]["run_id"]), tracker, directory


@installed
def test_settings_are_written_as_they_are_typed_and_any_name_is_taken(here: Path) -> None:
    settings = {
        "optimizer": "adam", "model.units": [64, 64], "callbacks.x": None, "quiet": True,
        "dataset.kinds.price (EUR), net[1]": "numeric", "dataset.kinds.price [EUR], net(1)": "category",
    }  # fmt: skip
    found, tracker, directory = begun(here / "run", settings)
    params = found.data.params
    assert [params[key] for key in ("optimizer", "model.units", "callbacks.x", "quiet")] == [
        "adam", "[64,64]", "null", "true",
    ]  # fmt: skip
    assert params["dataset.kinds.price _EUR__ net_1_"] == "numeric"
    assert params["dataset.kinds.price _EUR__ net_1__2"] == "category"
    assert found.data.tags["words"] == "optimizer=adam"
    tracker.epoch(1, {"recall[a,b]": 0.5})
    directory.facts["status"] = "completed"
    tracker.end(directory, register=False)
    assert tracker.client.get_run(found.info.run_id).data.metrics["recall_a_b_"] == 0.5


@installed
def test_jobs_of_a_sweep_are_nested_in_one_run(here: Path) -> None:
    (here / "sweep").mkdir()
    (here / "sweep" / "sweep.json").write_text('{"words": ["-m", "optimizer=adam,sgd"]}')
    parents = []
    for job in ("0", "1"):
        (here / "sweep" / job / ".hydra").mkdir(parents=True)
        found, tracker, directory = begun(here / "sweep" / job, {})
        parents.append(found.data.tags["mlflow.parentRunId"])
        directory.facts["status"] = "completed"
        tracker.end(directory, register=False)
    assert len(set(parents)) == 1
    parent = tracker.client.get_run(parents[0])
    assert (parent.info.run_name, parent.info.status) == ("sweep", "FINISHED")
    assert parent.data.tags["mlflow.source.name"] == "dltrain -m optimizer=adam,sgd"
    assert "mlflow.parentRunId" not in begun(here / "alone", {})[0].data.tags


@installed
def test_errors_name_the_key_that_is_at_fault(here: Path) -> None:
    import mlflow

    client = mlflow.MlflowClient(database(here))
    client.delete_experiment(client.create_experiment("first"))
    with pytest.raises(ConfigError, match=r"tracking\.mlflow\.experiment: 'first' cannot be used: .*deleted"):
        begun(here / "run", {})
    directory = RunDirectory(here / "run")
    directory.facts = {"tracking": {"uri": database(here), "run_id": "0" * 32}}
    with pytest.raises(ConfigError, match=r"tracking\.mlflow\.uri: .* has no run 0+ to go on with"):
        MLflow(database(here), "second", None).begin(directory, "run", {}, {})
