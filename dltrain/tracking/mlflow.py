"""Sends a run to MLflow: settings, metrics of each epoch, files, and the model under a registered name."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import itertools
import json
import logging
import math
import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from dltrain.base.distribution import install
from dltrain.base.errors import ConfigError
from dltrain.base.files import replace_file
from dltrain.base.plain_table import setting
from dltrain.record.environment import requirements
from dltrain.record.record import Record
from dltrain.record.run_directory import RunDirectory
from dltrain.record.signature import FILE as SIGNATURE_FILE
from dltrain.record.signature import Signature
from dltrain.tracking.run_ids import record_run, recorded_run

logger = logging.getLogger("dltrain")

SECONDS_BETWEEN = 5.0  # a database takes longer to store a point than a small training to run an epoch
MOST_METRICS, MOST_PARAMETERS, LONGEST_PARAMETER = 1000, 100, 6000  # MLflow's limits for one call
LONGEST_NAME, LONGEST_DIGEST = 250, 36
PARENT = "mlflow.parentRunId"
SWEEP, PARENT_FILE = "sweep.json", ".mlflow.json"
STATUSES = {"completed": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "pruned": "KILLED"}
FOLDERS = ("plots", ".hydra")
NEEDED_TO_PREDICT = ("run.json", "config.yaml", "model.keras", SIGNATURE_FILE)


class MLflow:
    """Sends one run to MLflow; a failure after the beginning is logged and does not stop the run.

    `uri` is a tracking server or a database such as `sqlite:///mlflow.db`. The experiment is created if missing. The
    model of a completed run becomes a new version of `registered_model`, if given; jobs of a sweep register none.
    `config_key` names the tracker in errors and in run.json.
    """

    def __init__(
        self, uri: str, experiment: str, registered_model: str | None, config_key: str = "tracking.mlflow"
    ) -> None:
        if importlib.util.find_spec("mlflow") is None:
            raise ConfigError(f"tracking=mlflow needs mlflow: {install('mlflow')}.")
        self.uri, self.experiment, self.config_key = uri, experiment, config_key
        # MLflow takes neither / nor : in the name of a model.
        self.registered_model = re.sub("[/:]", "_", registered_model) if registered_model else None
        self.client: Any = None
        self._run = ""
        self._parent: str | None = None
        self._waiting: list[Any] = []
        self._told = self._next = 0.0

    def begin(self, directory: RunDirectory, name: str, settings: Mapping[str, Any], tags: Mapping[str, Any]) -> None:
        """Begins a run, or continues the one that `run.json` names.

        `settings` maps full keys to values; `tags` are facts that are no settings.

        Raises:
            ConfigError: If the server or the database cannot be used.
        """
        key, before = self.config_key, recorded_run(directory, self.config_key)
        with _refused(key, "mlflow cannot be imported"):
            mlflow = _mlflow()
        with _refused(f"{key}.uri", f"'{self.uri}' cannot be used"):
            mlflow.set_tracking_uri(self.uri)
            client = mlflow.MlflowClient()
            client.search_experiments(max_results=1)
        if before.get("uri") == self.uri:
            self._run = before["run_id"]
            with _refused(f"{key}.uri", f"'{self.uri}' has no run {self._run} to go on with"):
                client.update_run(self._run, status="RUNNING")
        else:
            with _refused(f"{key}.experiment", f"'{self.experiment}' cannot be used"):
                experiment = mlflow.set_experiment(self.experiment).experiment_id
            with _refused(key, "MLflow refuses the run"):
                shown = _tags(directory.facts) | {key: str(value) for key, value in tags.items() if value is not None}
                self._parent = self._of_sweep(client, experiment, directory.path)
                if self._parent:
                    shown[PARENT] = self._parent
                self._run = client.create_run(experiment, run_name=name, tags=shown).info.run_id
                parameters = [
                    mlflow.entities.Param(key, setting(value)[:LONGEST_PARAMETER])
                    for key, value in _named(settings).items()
                ]
                for some in _portions(parameters, MOST_PARAMETERS):
                    client.log_batch(self._run, params=some)
                if data := directory.facts.get("data"):
                    client.log_inputs(self._run, [_dataset(mlflow, data)])
        self.client = client
        record_run(directory, key, uri=self.uri, experiment=self.experiment, run_id=self._run)

    def _of_sweep(self, client: Any, experiment: str, job: Path) -> str | None:
        """Returns the run that stands for the sweep of a job, which the first job begins; None for a single run."""
        sweep = next((path for path in job.resolve().parents if (path / SWEEP).is_file()), None)
        if sweep is None or not (job / ".hydra").is_dir():
            return None
        file = sweep / PARENT_FILE
        with FileLock(f"{file}.lock"):
            known = json.loads(file.read_text("utf-8")) if file.exists() else {}
            if (key := f"{self.uri} {experiment}") not in known:
                words = json.loads((sweep / SWEEP).read_text("utf-8")).get("words", [])
                tags = {"mlflow.source.name": shlex.join(["dltrain", *words]), "mlflow.source.type": "LOCAL"}
                run = client.create_run(experiment, run_name=sweep.name, tags=tags).info.run_id
                known[key] = run
                with replace_file(file) as path:
                    path.write_text(json.dumps(known), encoding="utf-8")
        return str(known[key])

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Queues the values of an epoch (from 1), which are sent every few seconds."""
        self._wait(values, number)
        if time.monotonic() >= self._next:
            self._send()

    def end(self, directory: RunDirectory, *, register: bool) -> None:
        """Sends queued values, final metrics, files and the model of a run whose status is final.

        `register` says whether the model gets its registered name.
        """
        if self.client is None:
            return
        status = str(directory.facts["status"])
        try:
            record = Record(directory.path)
            if not self._told:  # with several seeds, the run's own history is that of the first
                for row in record.history:
                    self._wait({name: value for name, value in row.items() if name != "epoch"}, int(row["epoch"]))
            self._wait(final_values(record.metrics), len(record.history))
            self._send()
            self._send_files(directory.path)
            if status == "completed" and (directory.path / "model.keras").exists():
                self._send_model(record, register=register)
            if "error" in directory.facts:
                self.client.set_tag(self._run, "mlflow.note.content", str(directory.facts["error"]))
        except Exception as error:
            _warn(error)
        try:
            self.client.set_terminated(self._run, status=STATUSES.get(status, "FAILED"))
            if self._parent:  # that of a sweep lasts until its last job has ended
                self.client.set_terminated(self._parent, status="FINISHED")
        except Exception as error:
            _warn(error)

    def _wait(self, values: Mapping[str, float], step: int) -> None:
        metric = _mlflow().entities.Metric
        now = int(time.time() * 1000)
        self._waiting += [metric(name, float(value), now, step) for name, value in _named(values).items()]
        self._told += 1

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            for some in _portions(waiting, MOST_METRICS):
                self.client.log_batch(self._run, metrics=some)
        except Exception as error:
            _warn(error)
        self._next = time.monotonic() + SECONDS_BETWEEN

    def _send_files(self, path: Path) -> None:
        for file in sorted(path.iterdir()):
            if file.is_file() and file.name != "model.keras":
                self.client.log_artifact(self._run, str(file))
            elif file.name in FOLDERS:
                self.client.log_artifacts(self._run, str(file), file.name)

    def _send_model(self, record: Record, *, register: bool) -> None:
        mlflow = _mlflow()
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            run.mkdir()
            for name in NEEDED_TO_PREDICT:
                shutil.copyfile(record.path / name, run / name)
            # MLflow writes its versions to standard error, while `quiet` promises only the result.
            with mlflow.start_run(run_id=self._run), contextlib.redirect_stderr(io.StringIO()):
                logged = mlflow.pyfunc.log_model(
                    name="model",
                    python_model=str(Path(__file__).with_name("served.py")),
                    artifacts={"run": str(run)},
                    signature=_signature(Signature.of(record)),
                    registered_model_name=self.registered_model if register else None,
                    pip_requirements=requirements(),
                )
        version = logged.registered_model_version
        model = f"models:/{self.registered_model}/{version}" if version else logged.model_uri
        logger.info("tracking  %s, run %s of experiment %s, model %s", self.uri, self._run, self.experiment, model)


@contextlib.contextmanager
def _refused(key: str, what: str) -> Iterator[None]:
    """Turns an error of network, database or MLflow itself into one of a config key."""
    try:
        yield
    except Exception as error:
        raise ConfigError(f"{key}: {what}: {reason_of(error)}") from error


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values by names that MLflow takes; those that would become one are told apart by a number."""
    named: dict[str, Any] = {}
    for key, value in values.items():
        name = place = re.sub(r"[^\w\-. :/]", "_", key)[:LONGEST_NAME]
        for number in itertools.count(2):
            if place not in named:
                break
            place = f"{name}_{number}"
        named[place] = value
    return named


def _tags(facts: Mapping[str, Any]) -> dict[str, str]:
    """Returns where a run comes from, as MLflow's own clients tell it, and the words that were typed."""
    words = [str(word) for word in facts.get("overrides", [])]
    tags = {"mlflow.source.name": shlex.join(["dltrain", *words]), "mlflow.source.type": "LOCAL"}
    if commit := (facts.get("git") or {}).get("commit"):
        tags["mlflow.source.git.commit"] = str(commit)
    return tags | ({"words": " ".join(words)} if words else {})


def _dataset(mlflow: Any, data: Mapping[str, Any]) -> Any:
    """Returns the dataset of a run for MLflow's display; `data` is what run.json has of it."""
    entities = mlflow.entities
    dataset = entities.Dataset(
        name=str(data["name"])[:LONGEST_NAME],
        digest=str(data["sha256"])[:LONGEST_DIGEST],
        source_type="local",
        source=json.dumps({"source": data.get("source")}),
        profile=json.dumps({"num_rows": data.get("rows"), "parts": data.get("parts")}),
    )
    return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", "training")])


def _mlflow() -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # the default of seven takes minutes
    import mlflow

    for name in ("mlflow", "alembic"):  # they log every table of a new database
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def final_values(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Returns metrics named like `test/accuracy`, with the best epoch and its value."""
    found = {name: metrics[name] for name in ("best_epoch", "best_value") if name in metrics}
    for part in ("train", "validation", "test"):
        found |= {f"{part}/{name}": value for name, value in metrics.get(part, {}).items()}
    return {name: value for name, value in found.items() if isinstance(value, (int, float)) and math.isfinite(value)}


def _signature(signature: Signature) -> Any:
    """Returns the columns for MLflow's display, or None for images, which it cannot describe."""
    if any(column.kind == "image" for column in signature.columns):
        return None
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    # Typed columns would refuse a file whose ages are all whole numbers, and a category can look like a number in one
    # file and a word in the next. dltrain reads either and names the cell that it cannot read.
    columns = [ColSpec(AnyType(), name, required=False) for name in signature.needed]
    return ModelSignature(inputs=Schema(columns))


def _portions(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[first : first + size] for first in range(0, len(values), size)]


def reason_of(error: Exception) -> str:
    """Returns the first line of an error, or its class if it has no text."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _warn(error: Exception) -> None:
    logger.debug("Tracking failed", exc_info=error)
    logger.warning("tracking: MLflow did not take everything of this run: %s", reason_of(error))
