"""Makes report.html and plots/ of a run from the files of its directory alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.base.errors import ConfigError
from dltrain.base.plain_table import number
from dltrain.config.model_rules import FLATTERED
from dltrain.pages.render import render
from dltrain.record.record import Record
from dltrain.record.signature import Signature
from dltrain.report import (
    INSIGHTS,
    WHAT_IF,
    callback_pictures,
    decision_boundary,
    figures,
    record_sections,
    score_sections,
)
from dltrain.report.answers import per_class, read_answers
from dltrain.report.diagnosis import diagnose
from dltrain.report.evidence import Diagnosis, Evidence
from dltrain.report.folds import read_folds
from dltrain.report.remedies import parts
from dltrain.report.repetition_pictures import repetition_pictures
from dltrain.report.repetitions import read_repetitions
from dltrain.report.svg import Picture
from dltrain.report.words import main_metric, scored_parts, summary
from dltrain.report.write import write_files

MOST_ROWS = 20  # of folds or seeds; with more their table is folded
MOST_COLUMNS = 20  # with more, the list of columns is folded and the picture shows the first ones


class RunReport:
    """The report of one completed run."""

    def __init__(self, record: Record) -> None:
        if not record.metrics:
            raise ConfigError(
                f"'{record.path}' has no metrics.json, so there is nothing to report (status of the run: "
                f"{record.status}). Expected a completed run."
            )
        self.record = record
        self.signature = Signature.of(record)
        parts = record.facts["data"].get("parts")  # older versions wrote only the row ids
        self.split: dict[str, int] = parts or {part: len(ids) for part, ids in record.json("splits.json").items()}
        self.rows = dict(self.split)
        self.metrics = record.metrics
        self.history: Sequence[Mapping[str, float]] = record.history
        kind = self.signature.kind, self.signature.classes
        self.answers = read_answers(record.path / "predictions.csv", *kind)
        self.repeated = read_repetitions(record)
        self.folds = read_folds(record, self.rows)
        if self.folds:
            self.metrics, self.history = self.folds.metrics, self.folds.history
            self.rows |= dict.fromkeys(("train", "validation", "the folds"), self.folds.rows)
            self.answers |= read_answers(record.path / "cv" / "predictions.csv", *kind)
        if "validation" not in self.metrics:
            raise ConfigError(
                f"'{record.path}' has no validation part, and a report shows rows that did not train. Expected a run "
                "with one, such as split.validation=0.1."
            )
        self.parts = scored_parts(self.metrics)
        self.last = self.parts[-1]
        told = not self.folds and (record.path / INSIGHTS).exists()
        self.insights: dict[str, Any] = record.json(INSIGHTS) if told else {}
        self.what_if: dict[str, Any] = record.json(WHAT_IF) if (record.path / WHAT_IF).exists() else {}
        shown = self.answers.get(self.last)
        self.shown = shown if shown is not None and len(shown.truth) else None
        self.pictures: list[Picture] = []

    def draw(self) -> dict[str, list[Picture]]:
        """Returns the pictures by section, and keeps them in `pictures`."""
        record, last = self.record, self.last
        threshold, best_epoch = self.signature.threshold, self.metrics["best_epoch"]
        importance, layers = self.insights.get("importance") or {}, self.insights.get("layers", ())
        errors, self.left_out = score_sections.errors(self.shown, last, threshold)
        calibration, self.thresholds = score_sections.calibration_and_threshold(
            self.shown, self.answers.get("validation"), last, threshold
        )
        drawn = {
            "repeated": self._repeated_pictures(),
            "recorded": list(callback_pictures.pictures_of(record)),
            "learning": figures.learning_curves(
                self.history,
                best_epoch,
                callback_pictures.limits_of(record),
                counted=self.metrics.get("exact", ()),
                kept=None if self.folds else self.metrics.get("train", {}),
            ),
            "errors": errors,
            "calibration": calibration,
            "importance": [figures.importance(importance["columns"][:MOST_COLUMNS])] if "columns" in importance else [],
            "layers": [figures.gradients(layers)] if sum(bool(each.get("gradient_rms")) for each in layers) > 1 else [],
        }
        self.pictures = [picture for made in drawn.values() for picture in made]
        return drawn

    def html(self) -> str:
        """Returns the whole page, and keeps its pictures in `pictures`."""
        record, metrics, last = self.record, self.metrics, self.last
        threshold, shown = self.signature.threshold, self.shown
        importance, layers = self.insights.get("importance") or {}, self.insights.get("layers", ())
        flags, overrides = record_sections.flags(record), record.facts.get("overrides", [])
        drawn = self.draw()
        return render(
            "report/templates/run.html",
            title=f"{record.facts['data']['name']} · {record.choices.get('model') or 'model'}",
            subtitle=f"{record.path.resolve().name} · {record.facts['started'][:16].replace('T', ' ')} UTC",
            number=number,
            again=lambda words=(): parts(overrides, words, *flags),
            drawn=drawn,
            most_columns=MOST_COLUMNS,
            last=last,
            sentences=summary(record, self.signature, metrics, self.rows),
            tiles=self._tiles(),
            repeated=self.repeated,
            most_rows=MOST_ROWS,
            member_table=score_sections.member_table(record.members) if record.members else None,
            findings=self._diagnosis(),
            best_epoch=metrics["best_epoch"],
            rates={epoch["learning_rate"] for epoch in self.history if "learning_rate" in epoch},
            steps=record_sections.steps(record, metrics["epochs"]),
            score_table=score_sections.score_table(metrics, self.parts),
            left_out=self.left_out,
            boundary=decision_boundary.recorded(record),
            kind=self.signature.kind.answer,
            classes=per_class(shown, threshold) if shown and shown.classes else [],
            thresholds=self.thresholds,
            found_importance=importance,
            insight_rows=self.insights.get("rows", 0),
            worst=score_sections.worst_rows(self.insights, quantity=not self.signature.classes),
            what_if=self.what_if,
            found_layers=layers,
            layer_rows=self.insights.get("layer_rows", 0),
            facts=record.facts,
            split=self.split,
            checks=record_sections.checks(record),
            columns=record_sections.columns(self.signature),
            decided=self.metrics.get("decisions", {}).get("notes", []),
            told=[*record.facts.get("warnings", []), *record.facts.get("notes", [])],
            options=record_sections.options(record),
            settings=record_sections.settings(record),
            versions=record_sections.versions(record),
        )

    def _repeated_pictures(self) -> list[Picture]:
        if self.repeated is None:
            return []
        name = main_metric(self.metrics)
        monitor = str(self.record.settings.get("task.monitor") or "val_loss")
        return repetition_pictures(self.repeated, name, self.record.traits(name), monitor)

    def _tiles(self) -> list[tuple[str, str]]:
        """Returns the numbers to see first, each with its name; the main metric comes first."""
        name = main_metric(self.metrics)
        interval = self.metrics.get("intervals", {}).get(self.last, {}).get(name)
        between = f"; 95 % {number(interval[0])} to {number(interval[1])}" if interval else ""
        tiles = [(number(self.metrics[self.last][name]), f"{name}, {self.last}{between}")]
        baselines = {each: scores.get(self.last, {}) for each, scores in self.metrics.get("baselines", {}).items()}
        if (repeated := self.repeated) is not None:
            both = f"{number(repeated.mean.get(name))} ± {number(repeated.deviation.get(name))}"
            # Under folds the model that is kept is another one, whose test score stands beside.
            kept = (
                [(tiles[0][0], f"{name}, test, of the model kept{between}")]
                if self.folds and self.last == "test"
                else []
            )
            tiles = [(both, f"{name}, {repeated.part}, mean and sd of {repeated.over}"), *kept]
            baselines = {each: {name: value} for each, value in repeated.baseline_means(name).items()}
        for baseline, scores in baselines.items():
            if name in scores:
                tiles.append((number(scores[name]), f"{name} of the {baseline} baseline"))
        if self.record.members:
            tiles.append((str(len(self.record.members)), "members of the ensemble"))
        elif self.record.seeds is None and not self.record.settings.get(
            "cv.ensemble"
        ):  # each of several averaged models has its own best epoch
            best = self.metrics["best_epoch"]
            median = (str(best), "epochs of the model kept, the median of the folds' best ones")
            tiles.append(median if self.folds else (f"{best} of {self.metrics['epochs']}", "best epoch"))
        if self.record.facts.get("seconds") is not None:
            tiles.append((f"{self.record.facts['seconds']:.1f} s", "whole run"))
        return tiles

    def _diagnosis(self) -> list[Diagnosis]:
        found = diagnose(
            Evidence(
                history=self.history,
                scores={part: self.metrics[part] for part in self.parts},
                baselines=self.metrics.get("baselines", {}),
                rows=self.rows,
                best_epoch=self.metrics["best_epoch"],
                settings=self.record.settings,
                choices=self.record.choices,
                traits=self.record.traits,
                difference=self.metrics.get("difference"),
                flattered=FLATTERED in self.metrics.get("notes", ()),
                layers=self.insights.get("layers", ()),
            )
        )
        # A remedy is for one training, and a search has tried more than the rules know.
        return [dataclasses.replace(each, tries=()) for each in found] if self.record.members else found


def write_report(path: Path) -> Path:
    """Writes report.html and plots/*.svg of a completed run, and returns the path of report.html.

    Raises:
        ConfigError: If there is not a completed run, or one of its files cannot be read.
    """
    report = RunReport(Record(path))
    html = report.html()
    return write_files(report.record.path, html, report.pictures)
