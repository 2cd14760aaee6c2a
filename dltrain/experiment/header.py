"""Describes what a run will do, in a line for each thing that decides it."""

from __future__ import annotations

import keras
import numpy as np
from omegaconf import DictConfig

from dltrain.preprocessing.prepared import Prepared


def facts_of(config: DictConfig, data: Prepared, network: keras.Model, batch_size: int) -> dict[str, str]:
    """Describes data, split, task, features, model, optimizer, and length of the training in words."""
    dataset, split, target = data.dataset, data.split, data.target
    rows = {part: len(rows) for part, rows in split.parts().items()}
    features = ", ".join(
        f"{name} {'x'.join(map(str, out.shape[1:]))}" for name, out in data.preprocessing.model.output.items()
    )
    of_classes = f", {len(target.classes)} {'labels' if target.kind.labels else 'classes'}"
    own = trainable(network)
    fixed = network.count_params() - own
    held = sum(getattr(layer, "held_rows", 0) for layer in network.layers)
    steps = -(-rows["train"] // batch_size)
    return {
        "data": f"{dataset.name}: {sum(rows.values()):,} rows, {_count(len(dataset.columns), 'column')}",
        "split": ", ".join(f"{part} {count:,}" for part, count in rows.items() if count),
        "task": target.task + (of_classes if target.classes else ""),
        "features": features,
        "model": f"{config.model['_target_'].rpartition('.')[2]}, {own:,} trainable parameters"
        + (f", {fixed:,} fixed" if fixed > 0 else "")
        + (f"; model.keras will hold {_count(held, 'train row')}" if held else ""),
        "optimizer": f"{type(network.optimizer).__name__}, {_learning_rate(config, network)}",
        "training": f"at most {_count(config.trainer.epochs, 'epoch')} x {_count(steps, 'step')} of {batch_size:,} "
        f"rows, {'resident' if data.resident else 'streaming'} engine, seed {config.seed}",
    }


def trainable(network: keras.Model) -> int:
    """Counts the trainable parameters of a network."""
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def _learning_rate(config: DictConfig, network: keras.Model) -> str:
    if config.schedule is None:
        return f"learning rate {float(keras.ops.convert_to_numpy(network.optimizer.learning_rate)):g}"
    # The optimizer's own rate may be 0 here, where a schedule begins.
    return f"learning rate {config.optimizer.learning_rate:g} along {config.schedule['_target_'].rpartition('.')[2]}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
