from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from dltrain.tensorboard.projector import hidden_of, write_embeddings


def test_labels_stand_in_the_row_of_their_vector(tmp_path: Path) -> None:
    vectors = np.array([[0.5, 1e-7], [2, 3]])
    write_embeddings(tmp_path, vectors, {"target": ["a\tb\nc", ""], "row": ["1", "2"]})
    assert (tmp_path / "labels.tsv").read_text().splitlines() == ["target\trow", "a b c\t1", "-\t2"]
    np.testing.assert_allclose(np.loadtxt(tmp_path / "embeddings.tsv", delimiter="\t"), vectors)
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "embeddings.tsv"' in config
    assert 'metadata_path: "labels.tsv"' in config


def test_the_hidden_layer_is_the_one_below_the_head() -> None:
    inputs = keras.Input((2,))
    hidden = keras.layers.Dense(3, name="hidden")(inputs)
    found = hidden_of(keras.Model(inputs, keras.layers.Dense(1, name="head")(hidden)))
    assert found is not None
    assert found.output.shape == (None, 3)


def test_a_network_without_a_hidden_layer_or_a_head_has_none() -> None:
    inputs = keras.Input((2,))
    assert hidden_of(keras.Model(inputs, keras.layers.Dense(1, name="head")(inputs))) is None
    assert hidden_of(keras.Model(inputs, keras.layers.Dense(1, name="other")(inputs))) is None
