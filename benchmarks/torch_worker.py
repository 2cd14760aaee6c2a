"""A process that trains networks in PyTorch for `benchmarks/peers.py`: a JSON line in, a JSON line out.

A line names an .npz file with `x`, `y`, `validation_x` and `validation_y`, the layers of the network as Keras has them,
`loss` (binary, classes or squares), `epochs`, `batch`, `learning_rate`, `seed` and `compiled`. The answer has the
seconds of the whole training, the compilation included, by the clock and of the processor, the median of an epoch after
the first, and the last losses.
The loop is the plain one without a DataLoader, which would make it slower; validation goes over large batches.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

import numpy as np
import torch
from torch import nn

AT_ONCE = 1024  # rows of a validation batch


class GlobalAverage(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3))


class SameMaxPool(nn.Module):
    """Keras' `same` padding, which stands at the far side alone."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.max_pool2d(images, 2, ceil_mode=True)


class Words(nn.Embedding):
    """Vectors (batch, length, width) of ids, of which 0 is no word; it keeps how many words each text has."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        self.counts = (ids != 0).sum(1).clamp(min=1)
        return super().forward(ids)


class Recurrent(nn.Module):
    """The last state of each direction after the words; padding is packed away, as Keras' mask keeps the state."""

    def __init__(self, words: Words, width: int, facts: dict[str, Any]) -> None:
        super().__init__()
        self.words = (words,)  # no part of this module
        self.inner = getattr(nn, facts["cell"])(width, facts["units"], batch_first=True, bidirectional=facts["both"])

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        counts = self.words[0].counts
        packed = nn.utils.rnn.pack_padded_sequence(vectors, counts, batch_first=True, enforce_sorted=False)
        _, states = self.inner(packed)
        last = states[0] if isinstance(states, tuple) else states
        return last.transpose(0, 1).flatten(1)


class WholeVectors(nn.Module):
    """Dropout of the same places of all words."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.inner = nn.Dropout1d(rate)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.inner(vectors.transpose(1, 2)).transpose(1, 2)


class Convolutions(nn.Module):
    """Convolutions of several widths, and the greatest answer of each filter."""

    def __init__(self, width: int, filters: int, widths: list[int]) -> None:
        super().__init__()
        self.inner = nn.ModuleList(nn.Conv1d(width, filters, size, padding="same") for size in widths)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        channels = vectors.transpose(1, 2)
        return torch.cat([torch.relu(each(channels)).amax(2) for each in self.inner], 1)


def layer(kind: str, facts: dict[str, Any], width: int, before: list[nn.Module]) -> tuple[nn.Module, int]:
    """A layer of Keras in PyTorch, and how many features or channels it gives; `before` are those before it."""
    if kind == "Embedding":
        return Words(facts["words"], facts["units"]), facts["units"]
    if kind == "Recurrent":
        (words,) = (each for each in before if isinstance(each, Words))
        return Recurrent(words, width, facts), facts["units"] * (2 if facts["both"] else 1)
    if kind == "Convolutions":
        return Convolutions(width, **facts), facts["filters"] * len(facts["widths"])
    if kind == "Dense":
        return nn.Linear(width, facts["units"], bias=facts["use_bias"]), facts["units"]
    if kind == "Conv2D":
        return nn.Conv2d(width, facts["filters"], 3, padding="same", bias=facts["use_bias"]), facts["filters"]
    if kind == "BatchNormalization":
        batch_norm = nn.BatchNorm2d if facts["image"] else nn.BatchNorm1d
        return batch_norm(width, eps=facts["epsilon"], momentum=1 - facts["momentum"]), width
    if kind == "EmbeddingBag":  # number 0 is no word
        return nn.EmbeddingBag(facts["words"], facts["units"], mode="mean", padding_idx=0), facts["units"]
    simple = {"Activation": nn.ReLU, "MaxPooling2D": SameMaxPool, "GlobalAveragePooling2D": GlobalAverage}
    if kind in simple:
        return simple[kind](), width
    dropouts = {"Dropout": nn.Dropout, "SpatialDropout1D": WholeVectors, "SpatialDropout2D": nn.Dropout2d}
    return dropouts[kind](facts["rate"]), width


def network(layers: list[Any], width: int) -> nn.Module:
    made: list[nn.Module] = []
    for kind, facts in layers:
        module, width = layer(kind, facts, width, made)
        made.append(module)
    return nn.Sequential(*made)


def losses(kind: str) -> nn.Module:
    return {"binary": nn.BCEWithLogitsLoss, "classes": nn.CrossEntropyLoss, "squares": nn.MSELoss}[kind]()


def train(asked: dict[str, Any]) -> dict[str, Any]:
    torch.manual_seed(asked["seed"])
    with np.load(asked["data"]) as file:
        x, y, validation_x, validation_y = (
            torch.from_numpy(file[name]) for name in ("x", "y", "validation_x", "validation_y")
        )
    if asked["image"]:
        x, validation_x = (
            part.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last) for part in (x, validation_x)
        )
    if asked["loss"] == "classes":
        y, validation_y = y[:, 0].long(), validation_y[:, 0].long()
    torch.set_num_threads(asked["threads"])
    began, processor = time.perf_counter(), time.process_time()
    model = network(asked["layers"], asked["width"])
    if asked["image"]:
        model = model.to(memory_format=torch.channels_last)
    loss_of = losses(asked["loss"])
    optimizer = torch.optim.Adam(model.parameters(), lr=asked["learning_rate"], eps=1e-8)

    def forward_backward(rows: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        loss = loss_of(model(rows), truth)
        loss.backward()
        return loss

    def right(answers: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        if asked["loss"] == "squares":
            return (answers - truth).abs().sum()
        return (answers.argmax(1) == truth if asked["loss"] == "classes" else (answers > 0) == truth).sum()

    step = torch.compile(forward_backward) if asked["compiled"] else forward_backward
    ends = [time.perf_counter()]
    for _ in range(asked["epochs"]):
        model.train()
        order, total = torch.randperm(len(x)), torch.zeros(())
        for first in range(0, len(x), asked["batch"]):
            rows = order[first : first + asked["batch"]]
            optimizer.zero_grad(set_to_none=True)
            loss = step(x[rows], y[rows])
            optimizer.step()
            total += loss.detach() * len(rows)
        model.eval()
        with torch.no_grad():
            found, counted = torch.zeros(()), torch.zeros(())
            for first in range(0, len(validation_x), AT_ONCE):
                answers = model(validation_x[first : first + AT_ONCE])
                truth = validation_y[first : first + AT_ONCE]
                found += loss_of(answers, truth) * len(truth)
                counted += right(answers, truth)
        logs = {"loss": float(total) / len(x), "val_loss": float(found) / len(validation_x)}
        logs["val_right"] = float(counted) / len(validation_x)
        ends.append(time.perf_counter())
    taken = {"seconds": ends[-1] - began, "processor": time.process_time() - processor}
    return taken | {"epoch": statistics.median(np.diff(ends)[1:]), **logs}


def main() -> None:
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        try:
            answer = train(json.loads(line))
        except Exception as error:  # the other contenders go on
            answer = {"failed": f"{type(error).__name__}: {str(error).splitlines()[:1]}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
