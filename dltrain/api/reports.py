"""Writes the reports of finished runs and sweeps, and gives their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dltrain.base.errors import ConfigError, did_you_mean
from dltrain.record.record import Record
from dltrain.record.trust import require_trusted

if TYPE_CHECKING:  # drawing needs half a second of imports
    from matplotlib.figure import Figure

    from dltrain.report.svg import Picture

CURVES = "learning_curves"


def write_report(directory: Path, *, trust: bool = False, verb: str = "") -> Path:
    """Writes report.html and plots/ of a completed run, or of a sweep; returns the path of report.html.

    Where a run has no insights.json, as the jobs of a sweep, its data and its model are loaded for it, if
    `require_trusted` lets them.

    Raises:
        ConfigError: If there is neither a completed run nor a sweep.
    """
    if not (directory / "run.json").exists() and (directory / "sweep.jsonl").exists():
        from dltrain.report.sweep import write_sweep_report

        return write_sweep_report(directory)
    record = Record(directory)
    from dltrain.record.signature import Signature
    from dltrain.report import INSIGHTS

    Signature.of(record)
    told = (record.path / INSIGHTS).exists() or record.folds is not None or record.members
    if "validation" in record.metrics and not told:
        require_trusted(record, trust=trust, verb=verb)
        from dltrain.internals import tensorflow_quietly

        tensorflow_quietly.load()
        from dltrain.report.rebuild_insights import write_insights

        write_insights(record)
    from dltrain.report.report import write_report as write

    return write(record.path)


def pictures_of_run(record: Record) -> list[Picture]:
    """Returns the pictures of a run; of one that did not complete the learning curves alone."""
    if record.metrics:
        from dltrain.report.report import RunReport

        report = RunReport(record)
        report.draw()
        return report.pictures
    from dltrain.report.figures import learning_curves

    monitor = str(record.settings.get("task.monitor") or "val_loss")
    values = [row.get(monitor, row["loss"]) for row in record.history]
    best = (max if (record.traits(monitor).direction == "max") else min)(values, default=0)
    return learning_curves(record.history, values.index(best) + 1, kept={}) if values else []


def figure(pictures: Sequence[Picture], name: str) -> Figure:
    """Returns a picture by the name of its file in plots/; `learning_curves` are all curves, two in a row.

    Raises:
        ConfigError: If there is none of that name.
    """
    from dltrain.report.svg import figure_of

    groups = {picture.name: [picture] for picture in pictures}
    if curves := [picture for picture in pictures if picture.name.startswith("curve_")]:
        groups = {CURVES: curves, **groups}
    if name not in groups:
        raise ConfigError(f"There is no picture '{name}'.{did_you_mean(name, groups)}")
    return figure_of(groups[name])
