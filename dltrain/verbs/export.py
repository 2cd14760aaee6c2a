"""Implements `dltrain export RUN`, which exports a run's model for another runtime and checks it."""

from __future__ import annotations

import argparse
from pathlib import Path

from dltrain.base.show import show
from dltrain.verbs import TRUST, Verb, argument, run_of

EXAMPLES = """\
saved_model takes raw columns, words included; those that the dataset makes, such as a title from a name, are made
inside. onnx and tflite take numbers: a rows.py beside them, which needs NumPy alone, turns raw rows into their inputs
and their outputs into answers; columns.json says what it goes by. tflite counts in 32 bits throughout. The exported
file is run before it appears, on rows of the run, and must give the same scores.

  dltrain export outputs/2026-01-31/14-05-09_titanic_mlp --format saved_model
  dltrain export RUN --format onnx --output titanic_onnx
"""


def _run(given: argparse.Namespace) -> int:
    from dltrain.api.finished_run import load_for
    from dltrain.config.model_rules import FLATTERED

    model = load_for("export", run_of(given.run), trust=given.trust)
    from dltrain.exporting.export import export

    output = Path(given.output) if given.output else model.record.path / "export" / given.format
    exported = export(model, given.format, output)
    show(f"largest difference {exported.difference:.2g} on {exported.rows} rows ({exported.which})")
    if FLATTERED in model.record.metrics.get("notes", ()):
        show("the file holds train rows, as places in the learned space with their targets")
    show(f"{given.format}  {exported.path}")
    return 0


VERB = Verb(
    name="export",
    summary="A run's model for another runtime, checked against the original.",
    description="The model of a finished run as SavedModel, ONNX or TFLite.",
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="directory of a completed run, or of a sweep, whose best job is taken"),
        TRUST,
        argument("--format", required=True, choices=("saved_model", "onnx", "tflite"), help="onnx needs an extra"),
        argument("--output", metavar="DIR", help="folder to make; RUN/export/FORMAT if not given"),
    ),
    function=_run,
)
