"""One experiment: dataset, split, preprocessing, network, training, scoring, run directory."""

from __future__ import annotations

import keras
from omegaconf import DictConfig

from dltrain.data.load import load_dataset, load_target, split_rows
from dltrain.evaluation import Results
from dltrain.journal import Journal
from dltrain.models.network import build_network
from dltrain.prepared import prepare
from dltrain.scoring import score_run
from dltrain.training.train import compile_for, train_network


def run_job(config: DictConfig) -> float:
    """Hydra's job: runs the experiment of a composed config in Hydra's output directory.

    Returns:
        The best value of the monitored metric, for sweepers.

    Raises:
        DltrainError: a fault of config, data or training; the run directory tells which.
    """
    with Journal.open(config) as journal:
        return run(config, journal).best_value


def run(config: DictConfig, journal: Journal) -> Results:
    """Runs the experiment from raw data to a run directory.

    Args:
        config: composed and checked.
        journal: what the run tells, to the terminal and into its directory.
    """
    keras.utils.set_random_seed(config.seed)
    dataset = load_dataset(config, journal)
    dataset, task, target = load_target(config, dataset, journal)
    split = split_rows(config, dataset, target, journal)
    data = prepare(config, task, dataset, target, split)
    network = build_network(config, task, data.preprocessing, data.target)
    batch_size = compile_for(config, task, data, network)
    journal.header(task, data, network, batch_size)
    training = train_network(config, task, data, network, batch_size, journal)
    results = score_run(config, task, data, network, training, journal)
    journal.finish(results)
    return results
