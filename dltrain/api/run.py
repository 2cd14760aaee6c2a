"""A finished or interrupted run as an object: its numbers as data frames, its model, its pictures and its report."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dltrain.api.finished_run import load
from dltrain.api.reports import figure, pictures_of_run, write_report
from dltrain.api.resume import resume_run
from dltrain.api.words import words_of
from dltrain.base.show import show
from dltrain.internals.process_settings import as_in_a_new_process
from dltrain.record.record import Record

if TYPE_CHECKING:  # a listing of runs shall not wait for them
    import pandas as pd
    from matplotlib.figure import Figure

    from dltrain.inference.evaluate import Evaluation
    from dltrain.inference.model import Model

TEXTS = ["row_id", "target", "prediction"]


class Run:
    """A run in its directory, read as it is needed.

    >>> run = dltrain.Run("outputs/wine")
    >>> run.status, len(run.history)
    ('completed', 2)

    Attributes:
        directory: Where its files are.
    """

    def __init__(self, directory: str | Path, *, trust: bool = False) -> None:
        self._trust = trust  # whether its model and data are loaded whatever code they name
        self._record = Record(directory)
        self.directory = self._record.path

    @property
    def status(self) -> str:
        """The word completed, interrupted, failed, pruned, running, or died if its process is gone."""
        return self._record.status

    @property
    def config(self) -> DictConfig:
        """Every setting, resolved."""
        return self._record.config

    @property
    def notes(self) -> list[str]:
        """Sentences on what was done and what a person should look at; the warnings come first."""
        return [*self._record.facts.get("warnings", []), *self._record.facts.get("notes", [])]

    @property
    def metrics(self) -> pd.DataFrame:
        """A row for each metric, a column for each part that was scored.

        `low` and `high` are the 95 % interval on the last part, and each baseline has a column with its score there.
        An interrupted run has no rows.
        """
        import pandas as pd

        found = self._record.metrics
        parts = [part for part in ("train", "validation", "test") if part in found]
        table = pd.DataFrame({part: found[part] for part in parts}, dtype=float)
        if parts:
            last = parts[-1]
            around = found.get("intervals", {}).get(last, {})
            for place, name in enumerate(("low", "high")):
                if around:
                    table[name] = pd.Series({metric: ends[place] for metric, ends in around.items()}, dtype=float)
            for baseline, scores in found.get("baselines", {}).items():
                table[baseline] = pd.Series(scores.get(last, {}), dtype=float)
        table.index.name = "metric"
        return table

    @property
    def history(self) -> pd.DataFrame:
        """A row for each epoch, a column for each value that was recorded."""
        import pandas as pd

        history = pd.DataFrame(self._record.history)
        return history.astype({"epoch": int}).set_index("epoch") if len(history) else history

    @property
    def predictions(self) -> pd.DataFrame:
        """A row for each row of the data: its id, part, target, prediction and probabilities.

        An interrupted run has no rows.
        """
        import pandas as pd

        file = self.directory / "predictions.csv"
        if not file.exists():
            return pd.DataFrame()
        classes = bool(self.model.signature.classes) if "model" in vars(self) else _has_classes(self._record)
        words = {"target": str, "prediction": str} if classes else {}
        table = pd.read_csv(file, dtype=words, keep_default_na=not classes)
        for name in table.columns.intersection(TEXTS):
            if not pd.api.types.is_numeric_dtype(table[name]):
                # An apostrophe before a text keeps spreadsheets from running it.
                table[name] = table[name].str.removeprefix("'")
        return table

    @functools.cached_property
    def model(self) -> Model:
        """The model from raw columns to predictions: `run.model.predict(frame)`."""
        return load(self.directory, trust=self._trust)

    def evaluate(self, frame: pd.DataFrame | None = None, by: str | None = None) -> Evaluation:
        """Scores the model on rows with their target, or on the run's own test part.

        Each scoring is recorded in run.json; `by` names a column whose groups are scored too.
        """
        from dltrain.api.evaluation import evaluate

        return evaluate(self.model, frame, by)

    def plot(self, name: str = "learning_curves") -> Figure:
        """Returns a picture of the report as a figure of Matplotlib, by the name of its file in plots/.

        >>> dltrain.Run("outputs/wine").plot("curve_loss").axes[0].get_xlabel()
        'epoch'

        Raises:
            ConfigError: If there is no picture of that name; the message lists them.
        """
        return figure(pictures_of_run(self._record), name)

    def report(self) -> Path:
        """Writes report.html and plots/ of a completed run anew, and returns the path of report.html."""
        return write_report(self.directory, trust=self._trust)

    def resume(self, **settings: Any) -> Run:
        """Goes on with an interrupted run; `trainer__epochs=500` trains a finished one for longer."""
        told: list[str] = []
        with as_in_a_new_process():
            resume_run(self.directory, words_of([], settings), note=told.append, warn=told.append, shows=False)
        for sentence in told:
            show(sentence)
        return Run(self.directory)

    def _repr_html_(self) -> str:
        from dltrain.api.card import card

        record, sentences = self._record, [] if self.status == "completed" else [self._how_it_ended()]
        pictures = pictures_of_run(record)
        if record.metrics:
            from dltrain.report.report import RunReport
            from dltrain.report.words import summary

            report = RunReport(record)
            sentences = summary(record, report.signature, report.metrics, report.rows)
        name = f"{record.facts.get('data', {}).get('name', '')} · {record.choices.get('model') or 'model'}"
        curves = [picture for picture in pictures if picture.name.startswith("curve_")][:2]
        return card(name, str(self.directory), sentences, [self.metrics], curves, self.notes)

    def _how_it_ended(self) -> str:
        reached = self._record.facts.get("reached") or {}
        after = f" after epoch {reached['epoch']} of {reached['epochs']}" if reached.get("epoch") else ""
        reason = self._record.facts.get("error") if self.status == "failed" else ""
        go_on = " Its state is saved: run.resume() goes on." if self.status == "interrupted" and after else ""
        return f"The run is {self.status}{after}.{f' {reason}' if reason else ''}{go_on}"

    def __repr__(self) -> str:
        lines = [f"Run {self.directory}: {self.status}"]
        if self.status != "completed":
            lines.append(self._how_it_ended())
        if self._record.metrics:
            lines.append(self.metrics.to_string(float_format="{:.4f}".format, na_rep=""))
            lines.append(verdict(self._record.metrics))
        elif self._record.history:
            lines.append(self.history.tail(1).to_string(float_format="{:.4g}".format))
        return "\n".join(line for line in lines if line)


def verdict(metrics: Mapping[str, Any]) -> str:
    """Returns the sentence that compares a model with its baselines; empty if the run has none."""
    if "difference" not in metrics:
        return ""
    from dltrain.scoring.comparison import Difference

    return f"{Difference.of(metrics['difference']).sentence()}."


def _has_classes(record: Record) -> bool:
    from dltrain.record.signature import Signature

    return bool(Signature.of(record).classes)
