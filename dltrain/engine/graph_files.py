"""Keeps graphs in files of the data directory, so that the next process need not trace them again.

A file is found by a hash of everything that decides its graph: the architecture and the arguments, the versions and
settings of Keras and TensorFlow, the devices, and the state of dltrain's own files.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from contextlib import suppress
from pathlib import Path

import keras
import tensorflow as tf
from google.protobuf.message import DecodeError

from dltrain.base.errors import DataError
from dltrain.base.files import replace_file
from dltrain.data.storage import data_directory, fingerprint
from dltrain.engine.executor import libraries
from dltrain.engine.graph_proof import TOLERANCE
from dltrain.engine.traced_graph import Contents, TracedGraph
from dltrain.internals.tensorflow_graphs import call_settings

logger = logging.getLogger(__name__)

FORMAT = 4  # to be raised when the format of the files changes
MOST_KEPT = 1_000  # of files, each of 20 to 40 kB
HASH_BYTES = 32
DAMAGED = (ValueError, LookupError, TypeError, zlib.error, DecodeError, tf.errors.OpError)
UNREACHABLE = (OSError, DataError)  # a DataError if the user has no home


def read_graph(key: str, variables: int) -> TracedGraph | None:
    """Returns a graph that this or an earlier process has written; None if there is none, or its file is damaged.

    `key` tells the architecture, the function's name and its arguments; `variables` is the number that the model has.
    """
    try:
        path = _path(key)
        content = path.read_bytes()
    except UNREACHABLE:
        return None
    with suppress(OSError):  # the file may belong to another user
        path.touch()  # files that are not read are removed first
    try:
        return TracedGraph.read(_contents(content, variables))
    except DAMAGED:
        logger.warning("The cached graph %s is damaged: it is traced again", path)
        return None


def _contents(file: bytes, variables: int) -> Contents:
    digest, content = file[:HASH_BYTES], file[HASH_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("It is not what was written.")
    head, _, functions = zlib.decompress(content).partition(b"\n")
    told = json.loads(head)
    if not told["difference"] <= TOLERANCE or not set(told["captured"]) <= set(range(variables)):
        raise ValueError("It was not proven, or for another network.")
    return Contents(told["captured"], told["results"], functions, told["optimized"] is True)


def write_graph(key: str, graph: TracedGraph, difference: float) -> None:
    """Writes a proven graph, if it uses nothing of this process; of too many, those unread for longest are removed.

    `difference` is the relative difference to Keras' own step, which tells readers that the graph was proven.
    """
    contents = graph.contents()
    if contents is None:
        return
    told = {"captured": contents.captured, "results": contents.results, "optimized": contents.optimized}
    told["difference"] = difference
    content = zlib.compress(json.dumps(told).encode() + b"\n" + contents.functions, 1)
    try:
        path = _path(key)
        with replace_file(path) as part:
            part.write_bytes(hashlib.sha256(content).digest() + content)
        files = list(path.parent.glob("*.graph"))
        if len(files) > MOST_KEPT:  # a tenth at once, since the times of all are read for it
            files.sort(key=lambda each: each.stat().st_mtime)
            for old in files[: MOST_KEPT // 10 - MOST_KEPT]:
                old.unlink(missing_ok=True)
    except UNREACHABLE as error:
        logger.debug("Cannot keep a graph: %s", error)


def _path(key: str) -> Path:
    text = f"{FORMAT} {_surroundings()} {key}"
    return data_directory() / "graphs" / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}.graph"


def _surroundings() -> str:
    """Returns what decides a graph besides its model."""
    settings = keras.config.epsilon(), keras.config.image_data_format(), keras.config.floatx()
    # Calls within a graph hold the settings of TensorFlow's own optimizer.
    return f"{libraries()} {settings} {call_settings()!r} {OWN_CODE}"


# Computed at the import, since files may be edited during a run.
OWN_CODE = fingerprint(Path(__file__).parents[1], ending=".py")
