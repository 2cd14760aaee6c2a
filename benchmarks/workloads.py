"""What `benchmarks/peers.py` trains: each workload as an experiment of dltrain, and as arrays and layers for others."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Array = npt.NDArray[Any]

IMDB = Path(os.environ.get("DLTRAIN_TEST_DATA", "/nowhere"), "imdb", "aclImdb_labeled_50k.tar.gz")
TABLE = ["model=mlp", "model.units=[50]", "model.dropout=0.5", "normalization=batch"]
CLASSES = ["task=multiclass"]
REVIEWS = ["dataset=imdb", f"dataset.path={IMDB}", "rows=2000", "text=sequence", "text.sequence_length=200"]
BINARY = ["task=binary", "~task.metrics.auc"]
RECURRENT = ("Bidirectional", "GRU", "LSTM")
# Words of the configuration, epochs. An epoch of the larger ones tells enough.
WORKLOADS: dict[str, tuple[list[str], int]] = {
    "titanic": (["dataset=titanic", *BINARY, *TABLE], 100),
    "wine": (["dataset=wine", *CLASSES, *TABLE], 100),
    "boston": (["dataset=boston", "task=regression", *TABLE], 100),
    "48,000 x 14": (["dataset=csv", "dataset.path=@14x48000", "dataset.target=target", *BINARY, *TABLE], 5),
    "imdb bigrams": (["dataset=imdb", f"dataset.path={IMDB}", *BINARY, "model=text_bag"], 2),
    "mnist 5k cnn": (["dataset=mnist", "rows=5000", *CLASSES, "model=cnn", "normalization=batch"], 3),
    "mnist 1k cnn": (["dataset=mnist", "rows=1000", *CLASSES, "model=cnn", "normalization=batch"], 5),
    "reviews bag": ([*REVIEWS, *BINARY, "model=text_bag"], 5),
    "reviews cnn": ([*REVIEWS, *BINARY, "model=text_cnn"], 3),
    "reviews rnn": ([*REVIEWS, *BINARY, "model=text_rnn"], 3),
    "reviews gru": ([*REVIEWS, *BINARY, "model=text_rnn", "model.cell=gru"], 3),
    "frozen features": (["dataset=csv", "dataset.path=@1280x5000", "dataset.target=target", *BINARY,
                         "model=mlp", "model.units=[]"], 20),
}  # fmt: skip


@dataclass(frozen=True)
class Workload:
    """A workload for those who know nothing of dltrain.

    Attributes:
        parts: float32 or int32 features and (rows, 1) targets of train and validation.
        layers: (kind, facts) as Keras has them, without the last activation; None where it cannot be told so simply.
        loss: binary, classes or squares; the targets of squares have mean 0 and deviation 1.
        learning_rate: of Adam.
        batch: rows a step.
        epochs: to train.
        seed: of weights and order.
    """

    parts: dict[str, tuple[Array, Array]]
    layers: list[Any]
    loss: str
    learning_rate: float
    batch: int
    epochs: int
    seed: int

    @property
    def image(self) -> bool:
        return self.parts["train"][0].ndim > 2

    @property
    def dense(self) -> bool:
        """Whether it is a dense network on a table."""
        return not self.image and not any(kind.startswith("Embedding") for kind, _ in self.layers)

    @classmethod
    def of(cls, made: Any, epochs: int, seed: int) -> Workload:
        """From an experiment of dltrain."""
        data, target = made.data, made.data.target
        squares = target.task == "regression"
        parts = {}
        for part in ("train", "validation"):
            (features,) = data.features(part).values()
            truth = data.truth(part).column
            parts[part] = features, ((truth - target.offset) / target.scale if squares else truth).astype(np.float32)
        return cls(
            parts,
            layers_of(made.network, squares),
            {"binary": "binary", "multiclass": "classes", "regression": "squares"}[target.task],
            float(np.asarray(made.network.optimizer.learning_rate)),
            made.batch_size,
            epochs,
            seed,
        )


def layers_of(network: Any, squares: bool) -> list[Any]:
    """The layers of a network without inputs and the last activation."""
    image = len(network.inputs[0].shape) > 2
    layers: list[Any] = []
    widths = [layer.kernel_size[0] for layer in network.layers if type(layer).__name__ == "Conv1D"]
    in_order = widths or any(type(layer).__name__ in RECURRENT for layer in network.layers)
    for layer in network.layers:
        kind, facts = type(layer).__name__, layer.get_config()
        if kind == "Embedding":
            name = "Embedding" if in_order else "EmbeddingBag"
            layers.append((name, {"words": facts["input_dim"], "units": facts["output_dim"]}))
        elif kind in RECURRENT:
            inner = getattr(layer, "forward_layer", layer)
            told = {"cell": type(inner).__name__, "units": inner.units, "both": inner is not layer}
            layers.append(("Recurrent", told))
        elif kind == "SpatialDropout1D":
            layers.append((kind, {"rate": facts["rate"]}))
        elif kind == "Concatenate" and widths:
            layers.append(("Convolutions", {"filters": layer.output.shape[-1] // len(widths), "widths": widths}))
        elif kind in ("Dense", "BatchNormalization", "Dropout", "SpatialDropout2D", "Conv2D", "Activation"):
            wanted = ("units", "use_bias", "rate", "filters", "epsilon", "momentum")
            flat = len(layer.output.shape) == 2
            layers.append((kind, {key: facts[key] for key in wanted if key in facts} | {"image": image and not flat}))
        elif kind in ("MaxPooling2D", "GlobalAveragePooling2D"):
            layers.append((kind, {}))
    assert squares or kind == "Dense"
    return layers


def written(word: str, folder: Path) -> str:
    """A word of the configuration, with the made table that `@COLUMNSxROWS` stands for in its place."""
    key, _, made = word.partition("@")
    if not made:
        return word
    columns, rows = map(int, made.split("x"))
    path = folder / f"{made}.parquet"
    if not path.exists():
        random = np.random.default_rng(0)
        numbers = random.standard_normal((rows, columns))
        yes = numbers[:, 0] - numbers[:, 1] + random.standard_normal(rows) > 0
        cells = {f"x{place}": numbers[:, place] for place in range(columns)}
        pq.write_table(pa.table({**cells, "target": np.where(yes, "yes", "no")}), path)
    return f"{key}{path}"


def words_of(name: str, folder: Path | None = None) -> list[str]:
    """The configuration of a workload, its tables written into a folder."""
    folder = folder or Path(tempfile.mkdtemp(prefix="dltrain-peers-"))
    return [written(word, folder) for word in WORKLOADS[name][0]] + ["checks=none", "trainer.batch_size=32"]
