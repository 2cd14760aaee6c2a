"""Takes what TensorFlow's optimizer made of a traced graph, so that the next process need not optimize it again.

That takes half of the first call of a small training. The kept graph has the numbers of the traced one to the bit,
since it holds the same operations: loops and calls within it have become operations of the graph itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorflow.core.framework.function_pb2 import FunctionDef, FunctionDefLibrary
from tensorflow.core.framework.node_def_pb2 import NodeDef

from dltrain.engine.executor import called
from dltrain.engine.traced_graph import Contents, TracedGraph
from dltrain.internals.tensorflow_graphs import definition, output_names

ARGUMENT, RESULT = "_Arg", "_Retval"


def optimized(graph: TracedGraph, collected: Sequence[Any]) -> TracedGraph | None:
    """Returns a traced graph as TensorFlow optimized it; None if that cannot be told or holds on this machine alone.

    `collected` are the graphs that TensorFlow made during the first call, from `collecting_graphs`.
    """
    original = definition(graph.name)
    names = [each.name for each in original.signature.input_arg]
    fitting = [
        made.post_optimization_graph.node
        for made in collected
        if _arguments(made.post_optimization_graph.node) == dict(enumerate(names))
    ]
    if len(fitting) != 1 or not _is_portable(fitting[0]):
        return None
    contents = graph.contents()
    if contents is None:
        return None
    function = _function(original, fitting[0])
    if any(called(function)) or len(function.ret) != len(original.signature.output_arg):
        return None
    library = FunctionDefLibrary(function=[function])
    return TracedGraph.read(Contents(contents.captured, contents.results, library.SerializeToString(), optimized=True))


def _arguments(nodes: Sequence[NodeDef]) -> dict[int, str]:
    return {node.attr["index"].i: node.name for node in nodes if node.op == ARGUMENT}


def _is_portable(nodes: Sequence[NodeDef]) -> bool:
    """Returns whether all nodes are on the CPU, and none is an operation that TensorFlow chooses for the processor."""
    own = any(node.op.startswith("_") and node.op not in (ARGUMENT, RESULT) for node in nodes)
    return not own and all(not node.device or node.device.endswith("device:CPU:0") for node in nodes)


def _function(original: FunctionDef, nodes: Sequence[NodeDef]) -> FunctionDef:
    """Returns a function with the signature of another one and the nodes of a graph."""
    function = FunctionDef(signature=original.signature, attr=original.attr)
    del function.signature.control_output[:]  # operations with effects run in any case
    kinds = {node.name: node for node in nodes}

    def told(source: str) -> str:
        """Returns an input in the language of functions, which name the output of an operation and not its number."""
        if source.startswith("^"):
            return source
        name, _, number = source.partition(":")
        return name if kinds[name].op == ARGUMENT else f"{name}:{output_names(kinds[name])[int(number or 0)]}"

    outputs = [each.name for each in original.signature.output_arg]
    for node in nodes:
        if node.op == RESULT:
            function.ret[outputs[node.attr["index"].i]] = told(node.input[0])
        elif node.op != ARGUMENT:
            made = function.node_def.add()
            made.CopyFrom(node)
            made.device = ""
            del made.input[:]
            made.input.extend(
                told(each) for each in node.input if not (each[0] == "^" and kinds[each[1:]].op == ARGUMENT)
            )
    return function
