"""One experiment: dataset, task, split, preprocessing, network, training, scoring, run directory."""

from __future__ import annotations

from omegaconf import DictConfig

from dltrain.base.errors import RunError
from dltrain.data.dataset import Dataset
from dltrain.engine.distribution import strategy_of
from dltrain.experiment.cross_validation import cross_validate
from dltrain.experiment.experiment import Experiment, assemble
from dltrain.experiment.journal import Journal
from dltrain.experiment.repetition import repeat_over_seeds
from dltrain.experiment.stages import load_dataset
from dltrain.internals.determinism import fix_randomness, seed_generators
from dltrain.report.after_run import report_run
from dltrain.scoring.evaluation import Results


def run_job(config: DictConfig) -> float:
    """Hydra's job: runs the experiment of a composed config in Hydra's output directory.

    Returns:
        The best value of the monitored metric, for sweepers.

    Raises:
        DltrainError: a fault of config, data or training; the run directory tells which. Or a completed run that does
            not beat its baselines where that is required.
    """
    with Journal.open(config) as journal:
        results = run(config, journal)
    require_what_was_asked(config, results)
    return results.best_value


def require_what_was_asked(config: DictConfig, results: Results) -> None:
    """Makes an exit code of a result that is not good enough.

    Raises:
        RunError: `require_beats_baseline` is set, and the run does not.
    """
    if config.require_beats_baseline and not results.difference.beats:
        raise RunError(f"require_beats_baseline: the run completed and {results.difference.sentence()}.")


def run(config: DictConfig, journal: Journal) -> Results:
    """Runs the experiment from raw data to a run directory; behind this module nobody sees the whole config.

    Args:
        config: composed and checked.
        journal: what the run tells, to the terminal and into its directory.
    """
    with strategy_of(config.strategy).scope():
        fix_randomness(config)
        dataset = load_dataset(config.dataset, journal)
        if config.cv is not None:
            results, final = cross_validate(config, dataset, journal)
        elif config.seeds > 1:
            results, final = repeat_over_seeds(config, dataset, journal)
        else:
            results, final = train_once(config, dataset, journal)
        journal.finish(results)
        report_run(final.data, final.network, task=final.task, wanted=config.report, journal=journal)
        return results


def train_once(config: DictConfig, dataset: Dataset, journal: Journal) -> tuple[Results, Experiment]:
    """One split, one training, one scoring.

    Args:
        config: composed and checked.
        dataset: raw.
        journal: of the run.
    """
    seed_generators(config.seed, config)
    experiment = assemble(config, dataset, journal)
    journal.header(experiment.data, experiment.network, experiment.batch_size)
    training = experiment.train(config, journal, seed=config.seed, callbacks=config.callbacks)
    return experiment.score(training, config, journal, seed=config.seed), experiment
