"""The notebook of the documentation runs without a person, and an interrupted cell keeps what there is."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"
# What the kernel's own libraries warn of.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Runs the cells of a notebook in an empty folder."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(NOTEBOOK.parents[1]), os.environ.get("PYTHONPATH", "")]))

    def run(notebook: Any) -> None:
        resources = {"metadata": {"path": str(tmp_path)}}
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()

    return run


def shown(cell: Any) -> dict[str, str]:
    """What a cell shows last, by its type."""
    found: dict[str, str] = cell.outputs[-1].get("data", {})
    return found


def test_every_cell_shows_what_it_says(execute: Callable[[Any], None], tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, 4)
    assert len(notebook.cells) == 8
    assert not any(cell.outputs for cell in notebook.cells)
    execute(notebook)
    train, look, sweep, compare, frame, pipeline, predict, report = notebook.cells
    assert not [output for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]
    assert len(train.outputs) == 2, "one live line and the run"
    assert re.search(r"epoch +20/20 ", train.outputs[0].data["text/plain"])
    assert shown(train)["text/html"].count("data:image/svg+xml;base64,") == 2
    assert "logistic regression on test" in shown(train)["text/html"]
    assert shown(look)["image/svg+xml"].count(">validation, after it<") >= 2
    assert len(sweep.outputs) == 2
    assert sweep.outputs[0].data["text/plain"] == "4 of 4 jobs"
    assert "4 jobs ended" in shown(sweep)["text/html"]
    assert "McNemar" in shown(compare)["text/html"]
    assert "rmse" in shown(frame)["text/plain"]
    assert shown(pipeline)["text/plain"].startswith("array([0.")
    assert "prediction" in shown(predict)["text/plain"]
    assert "report.html" in shown(report)["text/plain"]
    assert len(list(tmp_path.glob("outputs/*/*_titanic_mlp/report.html"))) == 2


def test_an_interrupted_cell_keeps_the_state_and_returns_what_there_is(
    execute: Callable[[Any], None], tmp_path: Path
) -> None:
    cells = [
        'import dltrain\nrun = dltrain.train("dataset=wine", "~callbacks.early_stopping", trainer__epochs=100000,'
        ' directory="long")\nrun',
        "run.status, len(run.history) > 0, run.plot().axes != []",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])

    def interrupt() -> None:
        while not (tmp_path / "long" / "history.csv").exists():
            time.sleep(0.1)
        pid = json.loads((tmp_path / "long" / "run.json").read_text())["pid"]
        os.kill(pid, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    execute(notebook)
    assert "interrupted after epoch" in shown(notebook.cells[0])["text/plain"]
    assert "run.resume() goes on" in shown(notebook.cells[0])["text/html"]
    assert shown(notebook.cells[1])["text/plain"] == "('interrupted', True, True)"
