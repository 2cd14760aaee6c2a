"""How many bytes a job leaves on disk: sizes as measured, above what small and wide networks have shown."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.data.split import Split
from dltrain.tensorboard.projector import MOST_NUMBERS, hidden_of

A_NUMBER = 4
A_RUN = 50_000  # settings, metrics, log
A_REPORT = 260_000  # report.html, its pictures, insights.json
A_TRAINING = 35_000  # TensorBoard's graph and histograms, metrics
AN_EPOCH = 2_000  # history.csv, TensorBoard and the log
A_MODEL = 70_000  # model.keras without its weights: layers and preprocessing
A_CHECKPOINT = 45_000  # best.keras, last.keras and training.state without their numbers
A_ROW, AN_ANSWER = 75, 12  # of predictions.csv and splits.json
AN_EMBEDDED_NUMBER = 8  # of the projector's text


def bytes_of(config: DictConfig, network: keras.Model, splits: Sequence[Split], *, units: int, in_sweep: bool) -> int:
    """What a job leaves when it is done.

    Args:
        config: composed and checked.
        network: compiled.
        splits: the parts of each training.
        units: answers a row.
        in_sweep: whether it is one of several jobs, which have no report of their own unless that is asked for.
    """
    weights: int = A_NUMBER * network.count_params()
    state: int = weights + A_NUMBER * sum(int(np.prod(each.shape)) for each in network.optimizer.variables)
    hidden = hidden_of(network)
    width: int = 0 if hidden is None else hidden.output.shape[1]
    shown = (config.callbacks.get("tensorboard") or {}).get("embeddings") or 0
    embedded = sum(min(width * min(len(split.validation), shown), MOST_NUMBERS) for split in splits)
    each_training = A_TRAINING + AN_EPOCH * config.trainer.epochs
    answers = A_ROW + AN_ANSWER * units
    rows = sum(map(len, splits[-1].parts().values()))
    model, checkpoint = A_MODEL + weights, A_CHECKPOINT + state
    total: int = A_RUN + len(splits) * each_training + AN_EMBEDDED_NUMBER * embedded
    if config.report is True or (config.report == "auto" and not in_sweep):
        total += A_REPORT
    if config.cv is not None:  # each fold answers its own rows, model.keras all of them
        scored = sum(len(split.test) for split in splits)
        kept = len(splits) * model if config.cv.ensemble else model + checkpoint + weights
        return total + kept + (rows + scored) * answers
    if config.seeds > 1:  # the files of the first seed are those of the run as well
        return total + (len(splits) + 1) * (model + rows * answers)
    return total + model + 3 * checkpoint + weights + rows * answers
