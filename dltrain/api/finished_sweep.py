"""A sweep as an object: its jobs as a data frame, and the best of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltrain.api.reports import figure, write_report
from dltrain.api.run import Run
from dltrain.base.errors import ConfigError
from dltrain.base.notes import counted
from dltrain.record.winner import winner

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class Sweep:
    """A sweep in its directory, read as it is needed.

    >>> found = dltrain.Sweep("outputs/sweep")
    >>> found.best.status
    'completed'

    Attributes:
        directory: Where its files and the directories of its jobs are.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "sweep.jsonl").is_file():
            raise ConfigError(f"'{directory}' holds no sweep (sweep.jsonl).")

    @property
    def results(self) -> pd.DataFrame:
        """A row for each job that has ended: its status, the settings that differ, its value and metrics."""
        import pandas as pd

        file = self.directory / "results.csv"
        return pd.read_csv(file, index_col="job", dtype={"job": str}) if file.exists() else pd.DataFrame()

    @property
    def best(self) -> Run:
        """The run of the best job, or of the ensemble with which `search=best` ends.

        Raises:
            ConfigError: If no job completed.
        """
        job = winner(self.directory) if (self.directory / "best.json").exists() else None
        if job is None:
            raise ConfigError(f"No job of '{self.directory}' is completed, so there is no best one.")
        return Run(self.directory / job)

    def resume(self, *words: str, **settings: Any) -> Sweep:
        """Runs the jobs that are left; `retry_failed=True` repeats failures, `extend=True` adds those of more values.

        `words` and `settings` replace those of the first start, or join them.
        """
        from dltrain.api.training import resume_sweep

        return resume_sweep(self.directory, *words, **settings)

    def plot(self, name: str) -> Figure:
        """Returns a picture of the sweep's report as a figure of Matplotlib, by the name of its file in plots/.

        Raises:
            ConfigError: If there is no picture of that name; the message lists them.
        """
        from dltrain.report.sweep import pictures_of_sweep

        return figure(pictures_of_sweep(self.directory), name)

    def report(self) -> Path:
        """Writes report.html and plots/ anew, and returns the path of report.html."""
        return write_report(self.directory)

    def _repr_html_(self) -> str:
        from dltrain.api.card import card
        from dltrain.report.sweep import pictures_of_sweep

        results = self.results
        pictures = pictures_of_sweep(self.directory)[:2] if len(results) else []
        return card("Sweep", str(self.directory), [f"{counted(len(results), 'job')} ended."], [results], pictures)

    def __repr__(self) -> str:
        results = self.results
        lines = [f"Sweep {self.directory}: {counted(len(results), 'job')}"]
        return "\n".join([*lines, results.to_string(na_rep="", max_rows=20)] if len(results) else lines)
