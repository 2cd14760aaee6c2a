"""The event files of small trainings, read back as TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.util.tensor_util import make_ndarray

from dltrain.base.errors import ConfigError
from dltrain.experiment.stages import refuse_ignored
from dltrain.tensorboard.events import Events
from dltrain.tensorboard.projector import hidden_of, write_embeddings

TABLE = ("model.units=[2]", "dataset.problem=multiclass", "trainer.epochs=3", "callbacks.tensorboard.histograms=2")
IMAGES = ("dataset.kind=image", "dataset.image_size=4", "model.units=[2]", "dataset.problem=multiclass")


def read(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()


def points(events: EventAccumulator, tag: str) -> list[tuple[int, Any]]:
    return [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]


@pytest.fixture(scope="module")
def trained(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    run = run_in(tmp_path_factory.mktemp("trained"), *TABLE)
    folder = run.path / "tensorboard"
    return run, read(folder / "train"), read(folder / "validation")


def test_each_epoch_is_a_point_of_a_curve(trained: Any) -> None:
    run, train, validation = trained
    for events, prefix in ((train, ""), (validation, "val_")):
        for name in ("loss", "accuracy"):
            logged = [float(row[f"{prefix}{name}"]) for row in run.rows("history.csv")]
            assert points(events, name) == [(epoch, pytest.approx(value)) for epoch, value in enumerate(logged, 1)]


def test_graph_holds_the_layers_and_what_feeds_them(trained: Any) -> None:
    _, train, _ = trained
    nodes = {node.name: node for node in train.Graph().node}
    assert nodes["head"].op == "Dense"
    assert nodes["table"].op == "InputLayer"
    (fed,) = nodes["head"].input
    while nodes[fed].input:
        (fed,) = nodes[fed].input
    assert fed == "table"
    assert [dim.size for dim in nodes["head"].attr["_output_shapes"].list.shape[0].dim] == [-1, 3]
    assert nodes["head"].attr["weights"].i == (2 + 1) * 3


def test_histograms_are_of_weights_activations_and_gradients(trained: Any) -> None:
    _, train, _ = trained
    kinds = train.summary_metadata
    found = [tag for tag in train.Tags()["tensors"] if kinds[tag].plugin_data.plugin_name == "histograms"]
    assert {tag.split("/")[0] for tag in found} == {"activations", "gradients", "weights"}
    assert {"activations/head", "gradients/head/kernel", "weights/head/kernel"} <= set(found)
    (first, buckets), (second, later) = points(train, "weights/head/kernel")
    assert (first, second) == (1, 3)  # the first epoch and every second one
    assert buckets.shape == (30, 3)
    assert buckets[:, 2].sum() == 2 * 3
    assert not np.array_equal(buckets, later)
    assert points(train, "activations/head")[0][1][:, 2].sum() == 36 * 3  # the train rows


def test_histograms_change_nothing(trained: Any, run_in: Any, tmp_path: Path) -> None:
    run, _, _ = trained
    without = run_in(tmp_path, *TABLE[:-1], "callbacks.tensorboard.histograms=null")
    assert without.rows("history.csv") == run.rows("history.csv")
    tags = read(tmp_path / "tensorboard" / "train").Tags()["tensors"]
    assert set(tags) == {"loss", "accuracy", "learning_rate", "config"}


def test_text_is_the_config(trained: Any) -> None:
    run, train, _ = trained
    ((_, lines),) = points(train, "config")
    text = b"".join(np.ravel(lines).tolist()).decode()
    assert [line[4:] for line in text.splitlines()] == (run.path / "config.yaml").read_text().splitlines()
    assert train.summary_metadata["config"].plugin_data.plugin_name == "text"


def test_projector_finds_vectors_and_labels(trained: Any) -> None:
    run, _, _ = trained
    folder = run.path / "tensorboard" / "validation"
    (info,) = text_format.Parse((folder / "projector_config.pbtxt").read_text(), ProjectorConfig()).embeddings
    vectors = np.loadtxt(folder / info.tensor_path, delimiter="\t")
    header, *labels = [line.split("\t") for line in (folder / info.metadata_path).read_text().splitlines()]
    predictions = [row for row in run.rows("predictions.csv") if row["part"] == "validation"]
    assert vectors.shape == (len(predictions), 2)
    assert header == ["target", "prediction", "row"]
    assert labels == [[row["target"], row["prediction"], row["row_id"]] for row in predictions]


def test_projector_takes_no_more_rows_than_asked_for(run_in: Any, tmp_path: Path) -> None:
    run_in(tmp_path, "model.units=[2]", "callbacks.tensorboard.embeddings=5")
    folder = tmp_path / "tensorboard" / "validation"
    assert len((folder / "labels.tsv").read_text().splitlines()) == 1 + 5


def test_a_cell_of_the_projector_stays_one_cell(tmp_path: Path) -> None:
    write_embeddings(tmp_path, np.eye(2), {"row": ["0", "1"], "target": ["a\tb\nc", ""]})
    assert (tmp_path / "labels.tsv").read_text() == "row\ttarget\n0\ta b c\n1\t-\n"


def test_a_model_without_hidden_layer_has_no_embeddings(stage_of: Any) -> None:
    assert hidden_of(stage_of("model=linear").network) is None
    hidden = hidden_of(stage_of("model.units=[3]").network)
    assert hidden.output.shape == (None, 3)


@pytest.mark.parametrize("model", ["model=linear", "model.units=[]"])
def test_embeddings_without_hidden_layer_are_refused(compose_config: Any, model: str) -> None:
    with pytest.raises(ConfigError, match=r"callbacks\.tensorboard\.embeddings has no effect without a hidden layer"):
        compose_config(model, "callbacks.tensorboard.embeddings=5")


@pytest.mark.parametrize("key", ["histograms", "embeddings", "augmented", "mistakes"])
def test_a_count_below_one_is_refused(compose_config: Any, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"callbacks\.tensorboard\.{key}: expected a number of at least 1, got 0"):
        compose_config(f"callbacks.tensorboard.{key}=0")


def test_mistakes_without_images_are_refused(stage_of: Any) -> None:
    data = stage_of("model=linear").data
    with pytest.raises(ConfigError, match=r"callbacks\.tensorboard\.mistakes has no effect: .* kind image"):
        refuse_ignored(["callbacks.tensorboard.mistakes"], data.dataset, data.target)


def test_mistakes_are_the_images_with_the_largest_loss(run_in: Any, tmp_path: Path) -> None:
    run = run_in(tmp_path, *IMAGES, "callbacks.tensorboard.mistakes=3")
    events = read(tmp_path / "tensorboard" / "validation")
    tags = [tag for tag in events.Tags()["tensors"] if tag.startswith("mistakes/")]
    rows = {row["row_id"]: row for row in run.rows("predictions.csv") if row["part"] == "validation"}
    wrong = [row for row in rows.values() if row["target"] != row["prediction"]]
    assert tags == [f"mistakes/{rank:02}" for rank in range(1, 1 + min(3, len(wrong)))]
    assert tags
    losses = []
    for tag in tags:
        metadata = events.summary_metadata[tag]
        assert metadata.plugin_data.plugin_name == "images"
        name, _, rest = metadata.display_name.partition(": ")
        row = rows[name.removeprefix("row ")]
        assert rest.startswith(f"is {row['target']}, predicted {row['prediction']}, loss ")
        losses.append(float(rest.rpartition(" ")[2]))
        probability = float(row[f"probability_{row['target']}"])
        assert losses[-1] == pytest.approx(-np.log(probability), rel=0.01)
        ((step, (width, height, png)),) = points(events, tag)
        assert (step, int(width), int(height)) == (1, 64, 64)
        assert tf.io.decode_png(png).shape[:2] == (64, 64)
    assert losses == sorted(losses, reverse=True)


def test_values_that_are_not_finite_make_no_histogram_fail(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.histogram("some", np.array([1.0, np.nan, np.inf, 3.0]), 1)
    events.histogram("none", np.array([np.nan]), 1)
    events.close()
    found = read(tmp_path)
    assert points(found, "some")[0][1][:, 2].sum() == 2
    assert points(found, "none")[0][1][:, 2].sum() == 0


def test_augmented_images_stand_beside_what_they_were(run_in: Any, tmp_path: Path) -> None:
    run_in(tmp_path, *IMAGES, "augmentation=mirroring", "callbacks.tensorboard.augmented=2")
    events = read(tmp_path / "tensorboard" / "train")
    tags = [tag for tag in events.Tags()["tensors"] if tag.startswith("augmentation/")]
    assert tags == ["augmentation/01", "augmentation/02"]
    for tag in tags:
        ((step, (width, height, png)),) = points(events, tag)
        assert (step, int(width), int(height)) == (0, 128, 64)
        picture = tf.io.decode_png(png).numpy().astype(int)
        left, right = picture[:, :64], picture[:, 64:]
        assert min(np.abs(right - left).max(), np.abs(right - left[:, ::-1]).max()) <= 1


def test_augmented_images_without_augmentation_are_refused(compose_config: Any) -> None:
    with pytest.raises(ConfigError, match=r"callbacks\.tensorboard\.augmented has no effect without augmentation"):
        compose_config("callbacks.tensorboard.augmented=3")
