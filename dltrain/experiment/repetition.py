"""Repeats a run with several seeds, to show how much of a result is due to chance."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from typing import Any, cast

import keras
from omegaconf import DictConfig, OmegaConf

from dltrain.base.files import replace_file
from dltrain.config.metric_traits import traits_of
from dltrain.config.seed import Seed
from dltrain.experiment.experiment import Experiment, Problem, assemble
from dltrain.experiment.journal import Journal
from dltrain.experiment.side_by_side import TrainingJob, forget_states, train_side_by_side
from dltrain.experiment.tables import show_seeds
from dltrain.models.network import build_metrics
from dltrain.scoring.comparison import Difference, compare_repetitions
from dltrain.scoring.evaluation import Results, name_of_area
from dltrain.scoring.significance import mean_intervals, spread
from dltrain.training.train import Training

RUN_FILES = ("model.keras", "predictions.csv", "history.csv", "splits.json", "signature.json")


def repeat_over_seeds(config: DictConfig, problem: Problem, journal: Journal) -> tuple[Results, Experiment]:
    """Runs the experiment with the seeds `seed`, `seed + 1`, …, which draw other weights and other parts.

    Each repetition writes into `seeds/seed_K/`; the files of the first one are copied to the run. Returns the results
    of the first seed, with a summary of all and with best value and difference over the seeds, and its experiment.
    """
    seeds = range(config.seed, config.seed + config.seeds)
    parts = {seed: journal.part(f"seeds/seed_{seed}") for seed in seeds}
    rule = Seed.of(config).rule

    def assembled(seed: int) -> Experiment:
        # The data is the same each time, so that it is checked once.
        own = {"seed": seed, "checks": config.checks if seed == config.seed else "none"}
        experiment = assemble(cast("DictConfig", OmegaConf.merge(config, own)), problem, parts[seed])
        if seed == config.seed:
            journal.header(experiment.data, experiment.network, experiment.batch_size)
        return experiment

    jobs = [
        TrainingJob(f"seed {seed}", Seed(seed, rule), lambda seed=seed: assembled(seed), parts[seed])  # type: ignore[misc]
        for seed in seeds
    ]
    trained = train_side_by_side(
        jobs, lambda job, experiment, training: (experiment, training), config=config, journal=journal
    )
    found = {
        seed: _scored(config, Seed(seed, rule), *each, parts[seed]) for seed, each in zip(seeds, trained, strict=True)
    }
    for name in RUN_FILES:
        if (parts[config.seed].path / name).exists():
            with replace_file(journal.path / name) as path:
                shutil.copyfile(parts[config.seed].path / name, path)
    summary = summarize(found, build_metrics(trained[0][0].task, trained[0][0].data.target))
    show_seeds(journal.console, summary)
    forget_states(journal, [f"seeds/seed_{seed}" for seed in seeds])
    values = spread([{"value": results.best_value} for results in found.values()])
    first, experiment = found[config.seed], trained[0][0]
    results = dataclasses.replace(
        first,
        best_value=values["mean"]["value"],
        seeds=summary,
        difference=_difference(list(found.values()), experiment) or first.difference,
    )
    return results, experiment


def _difference(found: Sequence[Results], experiment: Experiment) -> Difference | None:
    part, split = list(found[0].metrics)[-1], experiment.data.split.parts()
    return compare_repetitions(
        "seeds",
        experiment.data.target,
        [results.metrics[part] for results in found],
        [{name: scores[part] for name, scores in results.baselines.items()} for results in found],
        ratio=len(split[part]) / sum(len(rows) for name, rows in split.items() if name != part),
        area=name_of_area(build_metrics(experiment.task, experiment.data.target)),
    )


def _scored(config: DictConfig, seed: Seed, experiment: Experiment, training: Training, journal: Journal) -> Results:
    results = experiment.score(training, config, journal, seed=seed)
    journal.directory.write_json("metrics.json", {"seed": seed.number, **results.as_json()})
    return results


def summarize(found: dict[int, Results], metrics: Sequence[keras.metrics.Metric]) -> dict[str, Any]:
    """Returns every seed's metrics, and for each part their mean, standard deviation and 95 % interval of the mean."""
    bounds = {metric.name: traits_of(type(metric)).bounds for metric in metrics}
    parts = list(next(iter(found.values())).metrics)

    def of(part: str) -> Sequence[dict[str, float]]:
        return [dict(results.metrics[part]) for results in found.values()]

    def of_baseline(name: str, part: str) -> Sequence[dict[str, float]]:
        return [dict(results.baselines[name][part]) for results in found.values()]

    return {
        "runs": [
            {"seed": seed, "best_epoch": results.best_epoch, "epochs": results.epochs, **results.metrics}
            for seed, results in found.items()
        ],
        "baselines": {
            name: {part: spread(of_baseline(name, part)) for part in parts}
            for name in next(iter(found.values())).baselines
        },
        **{part: {**spread(of(part)), "interval": mean_intervals(of(part), bounds)} for part in parts},
    }
