"""Writes embeddings of rows, with target and prediction, for TensorBoard's projector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from google.protobuf import text_format
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo, ProjectorConfig

from dltrain.base.files import replace_file
from dltrain.preprocessing.prepared import Prepared

MOST_NUMBERS = 1_000_000  # in the file, for the browser's sake
HEAD = "head"  # the name of the last layer in dltrain's networks


def project(network: keras.Model, data: Prepared, folder: Path, *, most: int) -> None:
    """Writes embeddings of at most `most` validation rows into `folder`, if the network has a hidden layer."""
    hidden = hidden_of(network)
    if hidden is None:
        return
    sample = data.sample("validation", max(1, min(most, MOST_NUMBERS // hidden.output.shape[1])))
    seen = keras.Model(network.input, [hidden.output, network.output])
    vectors, answers = sample.answers(seen)
    rows = list(map(str, sample.raw.row_ids))
    write_embeddings(folder, vectors, {"target": sample.targets, "prediction": sample.read(answers), "row": rows})


def hidden_of(network: keras.Model) -> keras.Model | None:
    """Returns the network below its head, with output (batch, width), or None without a hidden layer with weights."""
    names = [layer.name for layer in network.layers]
    below = [layer for layer in network.layers if layer.name != HEAD and layer.weights]
    if HEAD not in names or not below:
        return None
    hidden = network.get_layer(HEAD).input
    return keras.Model(network.input, hidden) if len(hidden.shape) == 2 else None


def write_embeddings(folder: Path, vectors: npt.NDArray[np.floating[Any]], labels: dict[str, list[str]]) -> None:
    """Writes the projector's files for vectors (rows, width) and at least two columns of labels."""
    rows = [list(labels), *zip(*labels.values(), strict=True)]
    with replace_file(folder / "labels.tsv") as path:
        path.write_text("".join("\t".join(map(_cell, row)) + "\n" for row in rows), encoding="utf-8")
    with replace_file(folder / "embeddings.tsv") as path:
        np.savetxt(path, vectors, fmt="%.5g", delimiter="\t")
    info = EmbeddingInfo(tensor_name="last hidden layer", tensor_path="embeddings.tsv", metadata_path="labels.tsv")
    with replace_file(folder / "projector_config.pbtxt") as path:
        path.write_text(text_format.MessageToString(ProjectorConfig(embeddings=[info])), encoding="utf-8")


def _cell(text: str) -> str:
    return " ".join(text.split()) or "-"  # tabs and line breaks would split the cell; an empty line is not allowed
