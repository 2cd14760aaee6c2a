"""Runs one job of a sweep, in this process or in a worker, and writes its line into the ledger."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from dltrain.base.errors import DltrainError
from dltrain.base.lock import FILE as LOCK_FILE
from dltrain.base.lock import lock, unlock
from dltrain.base.tell import tell_unexpected
from dltrain.config.fingerprint import fingerprint
from dltrain.record.state_file import can_go_on
from dltrain.sweeps.keep import remove_models
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.orphan import ends_with_its_parent
from dltrain.sweeps.stop import asked_to_stop, in_main_process

SCHEDULED = 8  # assumed jobs at once on a cluster, whose size the launcher's settings do not tell


def run_sweep_job(config: DictConfig, run_job: Callable[[DictConfig], float]) -> float | None:
    """Runs one job of a sweep, as Hydra's job; if it fails, its line in the ledger says why and the others continue.

    Returns the best value of the monitored metric, or None if there is none.
    """
    setting = HydraConfig.get()
    sweep, directory = Path(setting.sweep.dir).resolve(), Path(setting.runtime.output_dir).resolve()
    if asked_to_stop(sweep):
        return None  # the next start removes its directory, which holds no result
    if not in_main_process(sweep):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes, but only the main one acts on it
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _share_threads(setting.launcher)
    with ends_with_its_parent(sweep):
        # A process whose sweep was killed may be about to end in it.
        lock(directory, waits=True)
        try:
            return _run(config, run_job, sweep, directory)
        finally:
            unlock(directory)


def _run(config: DictConfig, run_job: Callable[[DictConfig], float], sweep: Path, directory: Path) -> float | None:
    ledger, key = Ledger(sweep), fingerprint(config)
    if (done := ledger.finished(directory)) and done.key == key:  # by the process that held the directory
        return done.value
    _clear_what_cannot_go_on(directory, key)
    failure: BaseException | None = None
    value = None
    try:
        value = run_job(config)
    except DltrainError as error:
        failure = error
    except Exception as error:
        failure = error
        if not (directory / "dltrain.log").exists():  # which has the traceback
            tell_unexpected(error)
    ledger.append(Entry.of(directory, sweep, failure))
    with ledger.locked():
        remove_models(ledger, config, directory)
    if "tensorboard" in config.callbacks and (directory / "tensorboard").is_dir():
        from dltrain.sweeps.hyperparameters import write_hyperparameters

        words = list(HydraConfig.get().overrides.task)
        write_hyperparameters(directory / "tensorboard", words, completed=value is not None)
    return value


def _clear_what_cannot_go_on(directory: Path, key: str) -> None:
    """Empties the directory of an interrupted job that saved no state, or had other settings, as from older YAML."""
    run = directory / "run.json"
    if not run.exists() and not (directory / "config.yaml").exists():
        return
    # Without run.json its settings are unknown.
    if run.exists() and can_go_on(directory) and json.loads(run.read_text("utf-8")).get("config_sha256") == key:
        return
    for path in directory.iterdir():
        if path.name in (".hydra", LOCK_FILE):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _share_threads(launcher: Any) -> None:
    """Divides the cores among the workers of one machine, before TensorFlow counts them."""
    threads = _threads(launcher)
    if threads is not None and "tensorflow" not in sys.modules:
        for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
            os.environ.setdefault(name, str(max(1, threads)))


def _threads(launcher: Any) -> int | None:
    """Returns the number of threads for a job; None sets no limit."""
    if is_ray(launcher):
        return int(launcher.cpus)
    if "array_parallelism" in launcher:
        return None if launcher.cpus_per_task is None else int(launcher.cpus_per_task)
    workers = workers_at_once(launcher)
    return (os.cpu_count() or 1) // workers if workers > 1 else None


def workers_at_once(launcher: Any) -> int:
    """Returns how many jobs a launcher runs at once, as far as its settings tell."""
    cores = os.cpu_count() or 1
    name = str(launcher.get("_target_", ""))
    if name.endswith("JoblibLauncher"):
        wanted = int(launcher.n_jobs)
        return max(1, wanted if wanted > 0 else cores + 1 + wanted)
    if name.endswith("LocalLauncher"):
        return cores
    if is_ray(launcher):
        return max(1, int(cores // launcher.cpus)) if launcher.address == "local" else SCHEDULED
    if "array_parallelism" in launcher:
        return SCHEDULED
    return 1


def is_ray(launcher: Any) -> bool:
    """Returns whether a launcher runs its jobs on Ray."""
    return str(launcher.get("_target_", "")).endswith("RayLauncher")
