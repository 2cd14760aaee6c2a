"""report.html and plots/ of a run, made from the files of its directory alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.errors import ConfigError
from dltrain.inference.signature import Signature
from dltrain.record import Record
from dltrain.report import INSIGHTS, figures, recorded
from dltrain.report.answers import Answers, calibration, confusion, per_class, read_answers, thresholds
from dltrain.report.diagnosis import Evidence, Finding, command, diagnose
from dltrain.report.folds import folds_picture, read_folds
from dltrain.report.page import Html, code, folded, join, note, page, paragraph, pictures, section, table, text
from dltrain.report.svg import Picture
from dltrain.report.words import main_metric, number, scored_parts, summary
from dltrain.report.write import write_files

MOST_CLASSES = 40  # in the picture of the confusion matrix
MOST_BARS = 20  # columns in the picture of the importance
THRESHOLD_HEAD = ("threshold", "part", "value", "accuracy", "balanced accuracy", "precision", "recall", "F1")


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
        self.rows: dict[str, int] = parts or {part: len(ids) for part, ids in record.json("splits.json").items()}
        self.metrics = record.metrics
        self.history: Sequence[Mapping[str, float]] = record.history
        kind = self.signature.task, self.signature.classes
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
        facts = self.record.facts
        sections = [
            section(
                "summary",
                "Summary",
                *map(paragraph, summary(self.record, self.signature, self.metrics, self.rows)),
                self._tiles(),
            ),
            section("folds", "Cross-validation", *self._folds()),
            section("diagnosis", "Diagnosis", *map(self._finding, self._diagnosis())),
            section("recorded", "What was recorded besides", self._draw(*recorded.pictures_of(self.record))),
            section("learning", "Learning curves", *self._learning()),
            section("scores", "Scores", *self._scores()),
            section("errors", "Where it is right and wrong", *self._errors()),
            section("calibration", "Calibration and threshold", *self._calibration()),
            section("importance", "What it uses", *self._importance()),
            section("mistakes", "Worst mistakes", *self._mistakes()),
            section("layers", "Layers", *self._layers()),
            section("data", "Data", *self._data()),
            section("config", "Configuration", *self._config()),
            section("environment", "Environment", *self._environment()),
        ]
        model = self.record.choices.get("model") or "model"
        title = f"{facts['data']['name']} · {model}"
        return page(
            title, f"{self.record.path.resolve().name} · {facts['started'][:16].replace('T', ' ')} UTC", sections
        )

    def _draw(self, *made: Picture) -> Html:
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
        facts = self.record.facts
        flags = _flags(facts.get("command", []))
        tries = [code(command(facts.get("overrides", []), words, *flags)) for words in found.tries]
        return Html(
            f'<div class="finding {found.level}"><span class="level">{found.level}</span><h3>{text(found.title)}</h3>'
            f"{paragraph(found.text)}{note('Try next:') if tries else ''}{join(tries)}</div>"
        )

    def _learning(self) -> list[Html]:
        history = self.history
        if not history:
            return []
        rates = {epoch["learning_rate"] for epoch in history if "learning_rate" in epoch}
        constant = f" The learning rate was {rates.pop():g} throughout." if len(rates) == 1 else ""
        words = f"The dotted line is the best epoch, {self.metrics['best_epoch']}.{constant}"
        curves = figures.learning_curves(history, self.metrics["best_epoch"], recorded.limits_of(self.record))
        return [note(words), self._draw(*curves)]

    def _folds(self) -> list[Html]:
        if not self.folds:
            return []
        names = list(self.folds.deviation)
        rows = [
            [fold["fold"], f"{fold['rows']:,}", fold["best_epoch"], *(number(fold.get(name)) for name in names)]
            for fold in self.folds.each
        ]
        mean = self.metrics["validation"]
        rows.append(["mean ± sd", "", "", *(f"{number(mean[n])} ± {number(self.folds.deviation[n])}" for n in names)])
        words = (
            "Each fold was scored by a model that saw none of its rows. Below, validation stands for the scored folds "
            "together. In the curves, which are means over the folds, it is the part of a fold's own train rows that "
            "chose its best epoch. Importance, mistakes and layers are left out, since the model that is kept was "
            "trained on all these rows."
        )
        picture = self._draw(folds_picture(self.folds, main_metric(self.metrics)))
        return [note(words), picture, table("Every fold", ["fold", "rows", "best epoch", *names], rows)]

    def _scores(self) -> list[Html]:
        intervals = self.metrics.get("intervals", {}).get(self.last, {})
        baselines = self.metrics.get("baselines", {})
        rows = []
        for name in self.metrics[self.last]:
            between = intervals.get(name)
            row = [name, *(number(self.metrics[part].get(name)) for part in self.parts)]
            row += [f"{number(between[0])} to {number(between[1])}" if between else ""] if intervals else []
            rows.append([*row, *(number(scores.get(self.last, {}).get(name)) for scores in baselines.values())])
        head = ["metric", *self.parts, *(["95 % interval"] if intervals else [])]
        head += [f"{baseline} ({self.last})" for baseline in baselines]
        return [table("Every metric on every part, and the baselines", head, rows)]

    def _errors(self) -> list[Html]:
        shown = self.answers.get(self.last)
        if shown is None or not len(shown.truth):
            return []
        if not shown.classes:
            return [self._draw(*figures.regression_pictures(shown))]
        threshold = self.signature.threshold
        made: list[Picture] = []
        left_out = []
        if shown.task != "multilabel":
            if len(shown.classes) <= MOST_CLASSES:
                made.append(figures.confusion_matrix(confusion(shown, threshold), shown.classes, self.last))
            else:
                left_out.append(note(f"{len(shown.classes)} classes are too many for a picture of their confusion."))
        made += figures.roc_and_precision_recall(shown)
        several = len(shown.classes) > figures.MOST_LINES
        if several and len(made) > 1:
            left_out.append(note(f"The curves are those of the {figures.MOST_LINES} most frequent ones."))
        return [self._draw(*made), *left_out, self._per_class(shown)]

    def _per_class(self, shown: Answers) -> Html:
        kind = "label" if shown.task == "multilabel" else "class"
        rows = [
            [each["name"], f"{each['rows']:,}", *(number(each[key]) for key in ("precision", "recall", "f1", "auc"))]
            for each in per_class(shown, self.signature.threshold)
        ]
        caption = f"Each {kind} on the {self.last} part"
        return table(caption, [kind, "rows", "precision", "recall", "F1", "area under ROC"], rows)

    def _calibration(self) -> list[Html]:
        shown = self.answers.get(self.last)
        if shown is None or not shown.classes or not len(shown.truth):
            return []
        made = [figures.reliability(calibration(shown), self.last)]
        validation = self.answers.get("validation")
        if shown.task != "binary" or validation is None:
            return [self._draw(*made)]
        found = thresholds(validation)
        best, balanced = found.best("f1"), found.best("balanced_accuracy")
        made.append(figures.threshold_curves(found, best))
        measures = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
        rows = []
        for name, value in (
            ("in use", self.signature.threshold),
            ("greatest F1", best),
            ("greatest balanced accuracy", balanced),
        ):
            for part in dict.fromkeys(("validation", self.last)):
                at = thresholds(self.answers[part]).at(value)
                rows.append([name, part, f"{value:.2f}", *(number(at[measure]) for measure in measures)])
        words = (
            f"Above the threshold a row counts as {shown.classes[1]}. Thresholds are chosen on the validation part; "
            "the test rows only show what they are worth. The model in model.keras keeps the one in use."
        )
        return [
            self._draw(*made),
            table("Thresholds", [*THRESHOLD_HEAD], rows, words=2),
            note(words),
        ]

    def _importance(self) -> list[Html]:
        found = self.insights.get("importance")
        if not found:
            return []
        if "left_out" in found:
            return [note(found["left_out"])]
        columns: Sequence[Mapping[str, Any]] = found["columns"]
        words = (
            f"The cells of one column are shuffled among {found['rows']:,} validation rows, {found['repeats']} "
            "times; the more the loss rises, the more the model relies on the column. Columns that say the same thing "
            "share their importance. It is about the model, not about causes."
        )
        rows = [[each["column"], f"{each['mean']:+.4f}", f"{each['sd']:.4f}"] for each in columns]
        listing = table("Rise of the validation loss", ["column", "mean", "standard deviation"], rows)
        if len(columns) > MOST_BARS:
            listing = folded(f"All {len(columns)} columns", listing)
        return [note(words), self._draw(figures.importance(columns[:MOST_BARS])), listing]

    def _mistakes(self) -> list[Html]:
        found: Sequence[Mapping[str, Any]] = self.insights.get("mistakes", ())
        if not found:
            return []
        names = list(found[0]["columns"])
        shown = list(found[0]["images"])
        sure = any(each["probability"] is not None for each in found)
        rows = []
        for each in found:
            cells: list[Any] = [each["row_id"], each["target"], each["prediction"]]
            if sure:
                cells.append(number(each["probability"]))
            cells.append(number(each["loss"]))
            for name in shown:
                alt = f"{name} of row {each['row_id']}"
                cells.append(
                    Html(f'<span class="cell"><img alt="{text(alt)}" src="{text(each["images"][name])}"></span>')
                )
            rows.append([*cells, *(each["columns"][name] for name in names)])
        head = ["row", "true", "predicted", *(["its probability"] if sure else []), "loss", *shown, *names]
        words = (
            "The validation rows with the greatest loss, as they stand in the data. Look for wrong labels and for what "
            "they have in common. Test rows are not shown: what is learned from them could not be tested any more."
        )
        return [note(words), table("Rows with the greatest loss", head, rows, words=len(head))]

    def _layers(self) -> list[Html]:
        layers: Sequence[Mapping[str, Any]] = self.insights.get("layers", ())
        if not layers:
            return []

        def cell(value: float | None) -> str:
            return "" if value is None else f"{value:.3g}"

        rows = [
            [
                layer["name"],
                layer["kind"],
                cell(layer["mean"]),
                cell(layer["sd"]),
                "" if layer["dead"] is None else f"{100 * layer['dead']:.0f} %",
                f"{layer['weights']:,}",
                cell(layer["weight_rms"]),
                cell(layer["gradient_rms"]),
            ]
            for layer in layers
        ]
        head = ["layer", "kind", "output mean", "output sd", "dead units", "weights", "weight rms", "gradient rms"]
        listing = table("Layers from the input to the output", head, rows, words=2)
        drawn = sum(bool(layer.get("gradient_rms")) for layer in layers) > 1
        words = (
            f"{self.insights.get('layer_rows', 0):,} train rows forwards and their loss backwards, with the weights "
            "that were kept; rms is the root of the mean square."
        )
        return [note(words), self._draw(figures.gradients(layers)) if drawn else Html(""), listing]

    def _data(self) -> list[Html]:
        facts = self.record.facts
        data = facts["data"]
        rows = ", ".join(f"{part} {count:,}" for part, count in self.rows.items())
        columns = [
            [
                column.name,
                column.kind,
                _between(column.minimum, column.maximum) or (f"{len(column.words)} values" if column.words else ""),
                "yes" if column.has_missing else "",
            ]
            for column in self.signature.columns
        ]
        told = [*facts.get("warnings", []), *facts.get("notes", [])]
        items = Html("<ul>" + "".join(f"<li>{text(each)}</li>" for each in told) + "</ul>") if told else Html("")
        listing = table("Columns of the train rows", ["column", "kind", "range", "missing cells"], columns, words=4)
        return [
            paragraph(f"{data['rows']:,} rows: {rows}."),
            _checks(facts.get("checks")),
            listing if len(columns) <= MOST_BARS else folded(f"All {len(columns)} columns", listing),
            folded("What was done with the data", items) if told else Html(""),
            note(f"SHA-256 of the data: {data['sha256']}"),
        ]

    def _config(self) -> list[Html]:
        facts = self.record.facts
        overrides = facts.get("overrides", [])
        typed = [word.partition("=")[0].lstrip("+~") for word in overrides]

        def name(key: str) -> Html:
            own = any(key == word or key.startswith(f"{word}.") for word in typed)
            return Html(f'<span class="typed">{text(key)} (typed)</span>') if own else text(key)

        chosen = [
            [Html(f'<span class="typed">{text(group)} (typed)</span>') if group in typed else group, option or "none"]
            for group, option in self.record.choices.items()
        ]
        settings = [[name(key), _plain(value)] for key, value in self.record.settings.items()]
        return [
            paragraph("The same run again:"),
            code(command(overrides, (), *_flags(facts.get("command", [])))),
            table("Chosen options", ["group", "option"], chosen, words=2),
            folded(f"All {len(settings)} settings", table("Settings", ["key", "value"], settings, words=2)),
        ]

    def _environment(self) -> list[Html]:
        facts = self.record.facts
        git = facts.get("git") or {}
        rows: list[tuple[str, Any]] = [
            ("started", facts.get("started")),
            ("finished", facts.get("finished")),
            ("seed", facts.get("seed")),
            ("device", facts.get("device")),
            ("platform", facts.get("platform")),
            ("git commit", f"{git['commit']} ({git['changed_files']} files changed)" if git else "not in a repository"),
            *((name, version) for name, version in facts.get("versions", {}).items()),
        ]
        shown = [[name, "" if value is None else value] for name, value in rows]
        return [folded("Versions and machine", table("Environment", ["what", "value"], shown, words=2))]


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


def _flags(words: Sequence[str]) -> list[str]:
    """The flags of a command that its configuration hangs on."""
    kept = []
    for place, word in enumerate(words):
        name = word.partition("=")[0]
        if name in ("--config-dir", "--config-path", "--config-name", "-cd", "-cp", "-cn"):
            kept.append(word)
            if "=" not in word and place + 1 < len(words):
                kept.append(words[place + 1])
    return kept


def _checks(found: Any) -> Html:
    """The checks of the data, as far as the run has any: a list of facts by name."""
    if found is None:
        return Html("")
    rows = [each for each in found if isinstance(each, dict)]
    if not rows:
        return paragraph("The checks of the data found nothing to warn of.")
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_plain(row.get(name, "")) for name in names] for row in rows]
    return table("What the checks of the data found", names, cells, words=len(names))


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:g} to {high:g}"


def _plain(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(_plain, value)) if isinstance(value, (list, tuple)) else str(value)
