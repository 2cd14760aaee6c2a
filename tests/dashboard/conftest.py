"""Run directories as a run leaves them, made without a training."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra `serve`")
HISTORY = "epoch,loss,val_loss\n1,0.9,0.8\n2,0.5,0.6\n3,0.4,0.55\n"


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes the directory of a run below the folder `outputs`."""

    def write(name: str, *, status: str = "completed", score: float = 0.8, **facts: Any) -> Path:
        run = tmp_path / "outputs" / name
        run.mkdir(parents=True)
        (run / ".hydra").mkdir()
        known = {
            "status": status,
            "started": "2026-01-01T10:00:00.000+00:00",
            "overrides": ["dataset=wine", "optimizer=adam"],
            "data": {"name": "wine", "rows": 178},
            "seconds": 2.5,
            "steps_per_epoch": 4,
            "seconds_per_epoch": 0.5,
            "choices": {"dataset": "wine", "model": "linear", "optimizer": "adam"},
            "settings": {"seed": 42, "optimizer.learning_rate": 0.01, "trainer.epochs": 3},
            "host": platform.node(),
            "pid": os.getpid(),
        }
        (run / "run.json").write_text(json.dumps(known | facts))
        (run / "history.csv").write_text(HISTORY)
        (run / "dltrain.log").write_text("epoch 3: loss 0.4\n")
        if status == "completed":
            scores = {part: {"loss": 0.5, "accuracy": score} for part in ("train", "validation", "test")}
            metrics = {**scores, "intervals": {"test": {"accuracy": [0.7, 0.9]}}, "monitor": "val_loss"}
            (run / "metrics.json").write_text(json.dumps(metrics | {"best_epoch": 3, "best_value": 0.55}))
        return run

    return write


@pytest.fixture
def write_sweep(tmp_path: Path, write_run: Callable[..., Path]) -> Callable[..., Path]:
    """Writes the directory of a sweep of two ended jobs, one that failed and one that runs."""

    def write(name: str) -> Path:
        from dltrain.sweeps.ledger import Entry
        from dltrain.sweeps.ledger_line import line_of

        sweep = tmp_path / "outputs" / name
        sweep.mkdir(parents=True)
        words = ["-m", "dataset=wine", "optimizer=adam,sgd,rmsprop,nadam"]
        record = {"words": words, "space": words, "working_directory": str(tmp_path), "continued": []}
        (sweep / "sweep.json").write_text(json.dumps(record))
        lines = b""
        for place, (optimizer, value) in enumerate((("adam", 0.4), ("sgd", 0.6), ("rmsprop", None))):
            status = "failed" if value is None else "completed"
            overrides = ["dataset=wine", f"optimizer={optimizer}"]
            reason = "it broke" if value is None else None
            write_run(f"{name}/{place}", status=status, overrides=overrides, error=reason)
            entry = Entry(
                str(place), str(place), "data", overrides, status, "val_loss", "min", value, {"accuracy": 0.8},
                epochs=3, seconds=1.0, reason=reason,
            )  # fmt: skip
            lines += line_of(vars(entry))
        (sweep / "sweep.jsonl").write_bytes(lines)
        write_run(f"{name}/3", status="running", overrides=["dataset=wine", "optimizer=nadam"])
        return sweep

    return write
