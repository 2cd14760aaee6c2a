"""report.html and plots/ of a run, made from the files of its directory alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.base.errors import ConfigError
from dltrain.record.record import Record
from dltrain.record.signature import Signature
from dltrain.report import INSIGHTS, model_sections, record_sections, score_sections
from dltrain.report import callback_pictures as recorded
from dltrain.report.answers import read_answers
from dltrain.report.diagnosis import diagnose
from dltrain.report.evidence import Evidence, Finding
from dltrain.report.folds import read_folds
from dltrain.report.page import Html, code, join, note, page, paragraph, pictures, section, text
from dltrain.report.remedies import command
from dltrain.report.score_sections import Part
from dltrain.report.svg import Picture
from dltrain.report.words import main_metric, number, scored_parts, summary
from dltrain.report.write import write_files


class RunReport:
    """The report of one completed run.

    Args:
        record: of the run.

    Raises:
        ConfigError: the run did not complete.
    """

    def __init__(self, record: Record) -> None:
        if not record.metrics:
            raise ConfigError(
                f"'{record.path}' has no metrics.json, so there is nothing to report (status of the run: "
                f"{record.status}). Expected a completed run."
            )
        self.record = record
        self.signature = Signature.of(record)
        parts = record.facts["data"].get("parts")  # runs of versions before have the row ids alone
        self.split: dict[str, int] = parts or {part: len(ids) for part, ids in record.json("splits.json").items()}
        self.rows = dict(self.split)
        self.metrics = record.metrics
        self.history: Sequence[Mapping[str, float]] = record.history
        kind = self.signature.kind, self.signature.classes
        self.answers = read_answers(record.path / "predictions.csv", *kind)
        self.folds = read_folds(record, self.rows)
        if self.folds:
            self.metrics, self.history = self.folds.metrics, self.folds.history
            self.rows |= dict.fromkeys(("train", "validation", "the folds"), self.folds.rows)
            self.answers |= read_answers(record.path / "cv" / "predictions.csv", *kind)
        self.parts = scored_parts(self.metrics)
        self.last = self.parts[-1]
        told = not self.folds and (record.path / INSIGHTS).exists()
        self.insights: dict[str, Any] = record.json(INSIGHTS) if told else {}
        self.pictures: list[Picture] = []

    def html(self) -> str:
        """The whole page; the pictures are kept beside it."""
        record, metrics, insights = self.record, self.metrics, self.insights
        answers, last, threshold = self.answers, self.last, self.signature.threshold
        best_epoch, limits = metrics["best_epoch"], recorded.limits_of(record)
        sentences = summary(record, self.signature, metrics, self.rows)
        sections = [
            self._section("summary", "Summary", [*map(paragraph, sentences), self._tiles()]),
            self._section("folds", "Cross-validation", score_sections.of_folds(self.folds, metrics)),
            self._section("diagnosis", "Diagnosis", [self._finding(found) for found in self._diagnosis()]),
            self._section("recorded", "What was recorded besides", [list(recorded.pictures_of(record))]),
            self._section("learning", "Learning curves", score_sections.learning(self.history, best_epoch, limits)),
            self._section("scores", "Scores", score_sections.scores(metrics, self.parts)),
            self._section(
                "errors", "Where it is right and wrong", score_sections.errors(answers.get(last), last, threshold)
            ),
            self._section(
                "calibration",
                "Calibration and threshold",
                score_sections.calibration_and_threshold(answers, last, threshold),
            ),
            self._section("importance", "What it uses", model_sections.importance(insights.get("importance"))),
            self._section("mistakes", "Worst mistakes", model_sections.mistakes(insights.get("mistakes", ()))),
            self._section(
                "layers", "Layers", model_sections.layers(insights.get("layers", ()), insights.get("layer_rows", 0))
            ),
            self._section("data", "Data", record_sections.data(record, self.signature, self.split)),
            self._section("config", "Configuration", record_sections.configuration(record)),
            self._section("environment", "Environment", record_sections.environment(record)),
        ]
        title = f"{record.facts['data']['name']} · {record.choices.get('model') or 'model'}"
        begun = record.facts["started"][:16].replace("T", " ")
        return page(title, f"{record.path.resolve().name} · {begun} UTC", sections)

    def _section(self, name: str, title: str, parts: Sequence[Part]) -> Html:
        return section(name, title, *(part if isinstance(part, Html) else self._draw(part) for part in parts))

    def _draw(self, made: Sequence[Picture]) -> Html:
        self.pictures += made
        return pictures(made)

    def _tiles(self) -> Html:
        name = main_metric(self.metrics)
        interval = self.metrics.get("intervals", {}).get(self.last, {}).get(name)
        tiles = [
            (
                "main",
                number(self.metrics[self.last][name]),
                f"{name}, {self.last}" + (f"; 95 % {number(interval[0])} to {number(interval[1])}" if interval else ""),
            )
        ]
        for baseline, scores in self.metrics.get("baselines", {}).items():
            if name in scores.get(self.last, {}):
                tiles.append(("", number(scores[self.last][name]), f"{name} of the {baseline} baseline"))
        if not self.record.settings.get("cv.ensemble"):  # then each of the averaged models has its own
            tiles.append(("", f"{self.metrics['best_epoch']} of {self.metrics['epochs']}", "best epoch"))
        if self.record.facts.get("seconds") is not None:
            tiles.append(("", f"{self.record.facts['seconds']:.1f} s", "whole run"))
        inside = "".join(
            f'<div class="tile {kind}"><b>{text(value)}</b><span>{text(what)}</span></div>'
            for kind, value, what in tiles
        )
        return Html(f'<div class="tiles">{inside}</div>')

    def _diagnosis(self) -> list[Finding]:
        return diagnose(
            Evidence(
                history=self.history,
                scores={part: self.metrics[part] for part in self.parts},
                baselines=self.metrics.get("baselines", {}),
                rows=self.rows,
                best_epoch=self.metrics["best_epoch"],
                settings=self.record.settings,
                difference=self.metrics.get("difference"),
                layers=self.insights.get("layers", ()),
            )
        )

    def _finding(self, found: Finding) -> Html:
        flags, overrides = record_sections.flags(self.record), self.record.facts.get("overrides", [])
        tries = [code(command(overrides, words, *flags)) for words in found.tries]
        return Html(
            f'<div class="finding {found.level}"><span class="level">{found.level}</span><h3>{text(found.title)}</h3>'
            f"{paragraph(found.text)}{note('Try next:') if tries else ''}{join(tries)}</div>"
        )


def write_report(path: Path) -> Path:
    """Writes report.html and plots/*.svg of a completed run.

    Args:
        path: the run directory.

    Returns:
        The path of report.html.

    Raises:
        ConfigError: there is no completed run, or a file of it cannot be read.
    """
    report = RunReport(Record(path))
    html = report.html()
    return write_files(report.record.path, html, report.pictures)
