"""A file of TensorBoard events, in the forms that its dashboards read.

TensorFlow's own `tf.summary` takes a millisecond a value; TensorBoard's writer takes a twentieth of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.histogram import metadata as histograms
from tensorboard.plugins.image import metadata as images
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

BUCKETS = 30
SMALLEST_SIDE = 64  # pixels of an image on the screen; smaller ones are shown larger


class Events:
    """Writes events into a folder of its own, which TensorBoard shows as a run.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._writer = EventFileWriter(str(folder))

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """One point of each curve, by its tag."""
        summary = Summary()
        for tag, value in values.items():
            summary.MergeFrom(scalar_pb(tag, value))
        self._add(summary, step)

    def histogram(self, tag: str, values: npt.NDArray[Any], step: int) -> None:
        """How values of any shape are spread; those that are not finite are left out."""
        numbers = np.asarray(values, np.float64).ravel()
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size and numbers.min() == numbers.max():  # around a huge number there is no room for buckets
            buckets = np.array([[numbers[0], numbers[0], numbers.size]])
        else:
            counts, edges = np.histogram(numbers, BUCKETS)
            buckets = np.column_stack([edges[:-1], edges[1:], counts])
        summary = Summary()
        summary.value.add(
            tag=tag,
            metadata=histograms.create_summary_metadata(display_name=None, description=None),
            tensor=make_tensor_proto(buckets, dtype=np.float64),
        )
        self._add(summary, step)

    def image(self, tag: str, title: str, pixels: npt.NDArray[np.uint8], step: int) -> None:
        """One picture of shape (height, width, channels), under a title."""
        height, width, channels = pixels.shape
        times = -(-SMALLEST_SIDE // min(height, width))
        larger = pixels.repeat(times, axis=0).repeat(times, axis=1)
        shown = larger if channels in (1, 3, 4) else larger[..., :1]  # a PNG takes no other number of channels
        png = tf.io.encode_png(shown).numpy()
        summary = Summary()
        summary.value.add(
            tag=tag,
            metadata=images.create_summary_metadata(display_name=title, description=None),
            tensor=TensorProto(
                dtype=DT_STRING,
                string_val=[str(width * times).encode(), str(height * times).encode(), png],
                tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=3)]),
            ),
        )
        self._add(summary, step)

    def text(self, tag: str, text: str) -> None:
        """A text as it stands, in letters of one width."""
        self._add(text_pb(tag, "\n".join(f"    {line}" for line in text.splitlines())), 0)

    def graph(self, definition: GraphDef) -> None:
        """What the graph dashboard draws."""
        self._writer.add_event(Event(wall_time=time.time(), graph_def=definition.SerializeToString()))

    def close(self) -> None:
        """Writes what is left."""
        self._writer.close()

    def _add(self, summary: Summary, step: int) -> None:
        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
