from __future__ import annotations

import keras

from dltrain.tensorboard.graph import graph_of


def test_every_layer_is_one_node_fed_by_those_before_it() -> None:
    inputs = {name: keras.Input((2,), name=name) for name in "ab"}
    shared = keras.layers.Dense(3, name="shared")
    both = keras.layers.Concatenate(name="both")([shared(inputs["a"]), shared(inputs["b"])])
    nodes = {node.name: node for node in graph_of(keras.Model(inputs, keras.layers.Dense(1, name="head")(both))).node}
    assert sorted(nodes) == ["a", "b", "both", "head", "shared"]
    assert sorted(nodes["shared"].input) == ["a", "b"]
    assert (list(nodes["both"].input), list(nodes["head"].input)) == (["shared"], ["both"])
    assert (nodes["head"].op, nodes["head"].attr["weights"].i, nodes["both"].attr["weights"].i) == ("Dense", 7, 0)
    (shape,) = nodes["head"].attr["_output_shapes"].list.shape
    assert [size.size for size in shape.dim] == [-1, 1]


def test_layers_of_other_models_do_not_feed_a_node() -> None:
    layer = keras.layers.Dense(1, name="head")
    own, other = keras.Input((2,), name="own"), keras.Input((2,), name="other")
    layer(other)
    nodes = {node.name: node for node in graph_of(keras.Model(own, layer(own))).node}
    assert list(nodes["head"].input) == ["own"]
