"""Draws a network as TensorBoard's graph, with one node for each layer instead of its operations."""

from __future__ import annotations

from typing import Any

import keras
from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.versions_pb2 import VersionDef

from dltrain.internals.keras_networks import calls, maker


def graph_of(network: keras.Model) -> GraphDef:
    """Returns the graph of a built functional model."""
    known = {id(operation): operation.name for operation in network.operations}
    nodes = [
        NodeDef(
            name=operation.name,
            op=type(operation).__name__,
            input=list(dict.fromkeys(known[each] for each in _feeding(operation) if each in known)),
            attr={
                "_output_shapes": AttrValue(list=AttrValue.ListValue(shape=[_shape(operation.output)])),
                "weights": AttrValue(i=_weights(operation)),
            },
        )
        for operation in network.operations
    ]
    return GraphDef(node=nodes, versions=VersionDef(producer=22))


def _feeding(operation: Any) -> list[int]:
    # A layer that is used in several places has several nodes, some of other models.
    return [id(maker(tensor)) for call in calls(operation) for tensor in call.input_tensors]


def _shape(output: Any) -> TensorShapeProto:
    sizes = getattr(output, "shape", ())
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in sizes])


def _weights(operation: Any) -> int:
    return int(operation.count_params()) if isinstance(operation, keras.layers.Layer) else 0
