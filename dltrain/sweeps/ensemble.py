"""Makes the ensemble of a search: one run directory with one model, the weighted mean of the best jobs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from dltrain.base.files import replace_file
from dltrain.config.model_rules import FLATTERED, holds_train_rows
from dltrain.config.search_objectives import directions
from dltrain.config.seed import Seed
from dltrain.data.answers import outputs_of
from dltrain.data.split import Split
from dltrain.data.targets import Target
from dltrain.experiment.cross_validation import cut_folds
from dltrain.experiment.decisions import KEYS, HeldOut
from dltrain.experiment.decisions import decide as decide_after
from dltrain.experiment.experiment import Problem, decide, draw, pose, prepare_on, split_problem
from dltrain.experiment.journal import Journal
from dltrain.experiment.run import require_what_was_asked
from dltrain.experiment.score_run import parts_to_score, prediction_table, score_answers, write_model
from dltrain.experiment.stages import load_dataset
from dltrain.internals.determinism import fix_randomness
from dltrain.models.ensemble import average, predict
from dltrain.models.gaussian import mixture
from dltrain.models.network import build_loss, build_metrics
from dltrain.preprocessing.prepared import Prepared
from dltrain.record.record import Record
from dltrain.record.winner import ENSEMBLE
from dltrain.scoring.evaluation import Results, Scores, score
from dltrain.scoring.significance import spread
from dltrain.sweeps.ledger import Entry, Ledger
from dltrain.sweeps.selection import select
from dltrain.sweeps.start import read_record

OUT_OF_FOLD = "cv/predictions.csv"
Answers = npt.NDArray[np.floating[Any]]
WriteReport = Callable[[Path], Any]


@dataclass(frozen=True)
class Candidate:
    """A run whose model may be a member; `count` is how often it counts, None where that is to be chosen."""

    job: str
    run: Record
    count: int | None = None


def ensemble_of(sweep: Path, config: DictConfig, write_report: WriteReport, *, shows: bool) -> None:
    """Writes the ensemble of all jobs that have completed, unless there is one of the same jobs already."""
    entries = Ledger(sweep).entries()
    candidates = [Candidate(entry.job, Record(sweep / entry.job)) for entry in entries if _can_join(sweep, entry)]
    path = sweep / ENSEMBLE
    before = json.loads((path / "run.json").read_text("utf-8")) if (path / "run.json").exists() else {}
    if not candidates or (before.get("status") == "completed" and before.get("candidates") == _names(candidates)):
        return
    if path.exists():
        shutil.rmtree(path)
    path.mkdir()
    own = {str(key): config[key] for key in ("quiet", "verbose", "require_beats_baseline", "report", *KEYS)}
    own["score_test"] = "never" if config.score_test == "never" else "auto"
    typed = [word for word in read_record(sweep)["words"] if "=" in word and not word.startswith("-")]
    joined = cast("DictConfig", OmegaConf.merge(candidates[0].run.config, own))
    combine(
        path,
        joined,
        candidates,
        recorded={"overrides": typed, "test_scorings": before.get("test_scorings", [])},
        write_report=write_report,
        shows=shows,
        tracks=True,
    )


def combine(
    path: Path,
    config: DictConfig,
    candidates: Sequence[Candidate],
    *,
    recorded: Mapping[str, Any],
    write_report: WriteReport,
    shows: bool,
    tracks: bool = False,
) -> None:
    """Averages runs in an existing directory, scores the average on all parts and writes the files of a run.

    The members are chosen by what the candidates predicted of rows that they were not trained on, unless their counts
    are known. `recorded` holds facts of run.json that are known before; `tracks` says whether the trackers of the jobs
    get the ensemble too.
    """
    told = {"choices": {**_shared(each.run.choices for each in candidates), "model": ENSEMBLE}}
    told["settings"] = _shared(each.run.settings for each in candidates)
    seed = Seed.of(config)
    with Journal(config, path, recorded={**told, **recorded}, shows=shows, tracks=tracks) as journal:
        # What every job has told of the data is not told again.
        notes = [note for note in candidates[0].run.facts.get("notes", []) if not note.startswith("model.keras")]
        journal.directory.record(test_scorings=list(recorded.get("test_scorings", [])), notes=notes)
        fix_randomness(config, seed.stream("weights"))
        problem, split = _problem(config, journal)
        data = prepare_on(config, problem, split)
        unseen = _Unseen.of(problem, data, candidates)
        counts = _counts(config, problem.task, candidates, unseen)
        members = [each for each in candidates if counts[each.job]]
        model = average([_model(each) for each in members], data.target.kind, [counts[each.job] for each in members])
        journal.directory.record(
            candidates=_names(candidates) if candidates[0].count is None else recorded["candidates"],
            members=[_told(each, counts) for each in members],
            metric_traits=members[0].run.facts.get("metric_traits"),
            trainable_parameters=sum(each.run.facts.get("trainable_parameters") or 0 for each in members),
        )
        journal.note(
            f"model.keras averages {len(members)} of {len(journal.directory.facts['candidates'])} jobs, chosen by "
            f"their predictions of rows that they were not trained on"
        )
        journal.track(f"{path.parent.name}/{path.name}", journal.directory.facts["settings"])
        results = _score(config, problem, data, model, members, unseen, unseen.joined(counts), journal)
        journal.finish(results)
        if config.report is not False:
            write_report(path)
        journal.directory.record_files()
    require_what_was_asked(config, results)


def _problem(config: DictConfig, journal: Journal) -> tuple[Problem, Split]:
    problem = draw(config, pose(config, load_dataset(config.dataset, journal), journal, []), journal)
    if config.cv is None:
        split = split_problem(config, problem)
    else:
        split, _ = cut_folds(config, problem)
    journal.split(problem.dataset, split)
    return decide(problem, split, journal), split


@dataclass(frozen=True)
class _Unseen:
    """What the candidates predicted of the same rows, which they were not trained on."""

    table: pd.DataFrame  # row_id and, if there are folds, fold of each row
    target: Target
    answers: Mapping[str, Answers]  # shape (rows, units), by job

    @classmethod
    def of(cls, problem: Problem, data: Prepared, candidates: Sequence[Candidate]) -> _Unseen:
        tables = {each.job: _unseen_rows(each.run.path) for each in candidates}
        first = next(iter(tables.values()))
        ids = problem.dataset.row_ids
        places = pd.Index(ids.astype(str)).get_indexer(first["row_id"].astype(str))
        scaled = data.target
        target = dataclasses.replace(problem.target, offset=scaled.offset, scale=scaled.scale, knots=scaled.knots).take(
            places
        )
        answers = {
            job: outputs_of(target.kind, target.classes, {str(name): table[name].to_numpy() for name in table})
            for job, table in tables.items()
        }
        return cls(first, target, answers)

    def joined(self, counts: Mapping[str, int]) -> Answers:
        """Returns the answers of the members together."""
        every = [answers for job, answers in self.answers.items() for _ in range(counts.get(job, 0))]
        return _join(self.target)(every)


def _unseen_rows(run: Path) -> pd.DataFrame:
    if (run / OUT_OF_FOLD).exists():
        return pd.read_csv(run / OUT_OF_FOLD, dtype={"row_id": str})
    table = pd.read_csv(run / "predictions.csv", dtype={"row_id": str})
    return table[table["part"] == "validation"]


def _join(target: Target) -> Callable[[Sequence[Answers]], Answers]:
    if target.kind.deviation:
        return lambda answers: np.asarray(mixture([np.asarray(each, np.float32) for each in answers]))
    return lambda answers: np.mean(np.stack(answers), axis=0)


def _counts(config: DictConfig, task: DictConfig, candidates: Sequence[Candidate], unseen: _Unseen) -> dict[str, int]:
    known = {each.job: each.count for each in candidates if each.count is not None}
    if known:
        return known
    name, target = str(config.search.objectives[0]).removeprefix("val_"), unseen.target
    loss, sign = build_loss(task, target), -1.0 if directions(config)[0] == "max" else 1.0
    metrics = [metric for metric in build_metrics(task, target) if metric.name == name]

    def value(answers: Answers) -> float:
        return sign * score(metrics, target, answers)[name] if metrics else _loss(loss, target, answers)

    chosen = select(list(unseen.answers.values()), value, _join(target), config.search.members)
    return {each.job: chosen.get(place, 0) for place, each in enumerate(candidates)}


def _loss(loss: Any, target: Target, answers: Answers) -> float:
    return float(loss(target.column, answers, sample_weight=target.relative_weights))


def _model(member: Candidate) -> keras.Model:
    model = keras.models.load_model(member.run.path / "model.keras", compile=False, safe_mode=True)
    return keras.Model(model.input, model.output, name=f"job_{member.job.replace('/', '_')}")


def _score(
    config: DictConfig,
    problem: Problem,
    data: Prepared,
    model: keras.Model,
    members: Sequence[Candidate],
    seen: _Unseen,
    unseen: Answers,
    journal: Journal,
) -> Results:
    task, seed = problem.task, Seed.of(config)
    parts = parts_to_score(data, with_test=config.score_test != "never", journal=journal)
    answers = {part: predict(model, data.raw(part)) for part in parts}
    loss, metrics = build_loss(task, data.target), build_metrics(task, data.target)
    scores: dict[str, Scores] = {}
    for part, given in answers.items():
        truth = data.truth(part)
        scores[part] = {"loss": _loss(loss, truth, given), **score(metrics, truth, given)}
    held_out = HeldOut("validation" if config.cv is None else "out-of-fold", seen.target, unseen)
    best, decisions = dict(scores.get("validation", {})), decide_after(config, held_out, seed)
    results = score_answers(
        data, scores, answers, task=task, penalty=0.0, seed=seed, journal=journal, decisions=decisions
    )
    if FLATTERED not in results.notes and any(
        holds_train_rows(each.run.settings.get("model._target_")) for each in members
    ):
        results = dataclasses.replace(results, notes=[*results.notes, FLATTERED])
    write_model(model, data, journal, decisions)
    name = task.monitor.removeprefix("val_")
    if config.cv is None:
        return dataclasses.replace(results, best_value=best.get(name, float("nan")))
    summary = _summary(problem, data, members, seen, unseen, journal)
    return dataclasses.replace(results, best_value=summary["monitored"], cross_validation=summary)


def _summary(
    problem: Problem,
    data: Prepared,
    members: Sequence[Candidate],
    seen: _Unseen,
    answers: Answers,
    journal: Journal,
) -> dict[str, Any]:
    """Writes the predictions out of fold and their metrics, as a cross-validation does, and returns the metrics."""
    loss, metrics = build_loss(problem.task, data.target), build_metrics(problem.task, data.target)
    first = members[0].run.json("cv/summary.json")
    entries = []
    for entry in first["folds"]:
        rows = np.flatnonzero(seen.table["fold"].to_numpy() == entry["fold"])
        truth = seen.target.take(rows)
        scores = {"loss": _loss(loss, truth, answers[rows]), **score(metrics, truth, answers[rows])}
        kept = ("fold", "repeat", "seed", "rows", "train_rows", "validation_rows")
        entries.append({**{key: entry[key] for key in kept}, **scores})
    over_folds = spread([{name: entry[name] for name in scores} for entry in entries])
    whole = {"loss": _loss(loss, seen.target, answers), **score(metrics, seen.target, answers)}
    name = problem.task.monitor.removeprefix("val_")
    monitored = over_folds["mean"].get(name, float("nan"))
    summary = {
        **first,
        "monitored": whole.get(name) if np.isnan(monitored) else monitored,
        "val_loss": over_folds["mean"]["loss"],
        "mean": over_folds["mean"],
        "sd": over_folds["sd"],
        "out_of_fold": whole,
        "folds": entries,
    }
    folder = journal.directory.part("cv")
    folder.write_json("summary.json", summary)
    table = prediction_table("", seen.table["row_id"].to_numpy(), seen.target, answers.astype(np.float32))
    table = table.drop(columns="part")
    for place, name in enumerate(each for each in ("repeat", "fold") if each in seen.table):
        table.insert(1 + place, name, seen.table[name].to_numpy())
    with replace_file(folder.path / "predictions.csv") as file:
        table.to_csv(file, index=False)
    return summary


def _can_join(sweep: Path, entry: Entry) -> bool:
    return entry.status == "completed" and (sweep / entry.job / "model.keras").exists()


def _names(candidates: Sequence[Candidate]) -> list[str]:
    return [each.job for each in candidates]


def _told(member: Candidate, counts: Mapping[str, int]) -> dict[str, Any]:
    """Returns the entry of a member in run.json."""
    words = member.run.facts.get("overrides", [])
    own = [word for word in words if not word.startswith("search.")]
    return {
        "job": member.job,
        "weight": counts[member.job] / sum(counts.values()),
        "count": counts[member.job],
        "overrides": own,
    }


def _shared(mappings: Any) -> dict[str, Any]:
    """Returns what all mappings agree on."""
    first, *others = [dict(each) for each in mappings]
    return {key: value for key, value in first.items() if all(key in each and each[key] == value for each in others)}
