"""Writes the settings of each job for TensorBoard's HParams dashboard, which compares the jobs of a sweep."""

from __future__ import annotations

import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2, summary_v2
from tensorboard.plugins.hparams.metadata import NULL_TENSOR, SESSION_END_INFO_TAG, create_summary_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter


def write_hyperparameters(directory: Path, overrides: list[str], *, completed: bool) -> None:
    """Writes the overrides of a job into its TensorBoard logs; `completed` tells whether the job reached its end.

    `directory` is the one above the folders of the curves.
    """
    pairs = [word.partition("=") for word in overrides]
    values = {key.lstrip("+~"): _value(text) for key, _, text in pairs}
    writer = EventFileWriter(str(directory))
    # The dashboard takes jobs of one name for one trial, and every sweep has a job 0.
    trial = str(directory.parent.resolve())
    for summary in (summary_v2.hparams_pb(values, trial_id=trial), _end(completed)):
        writer.add_event(Event(wall_time=time.time(), summary=summary))
    writer.close()


def _end(completed: bool) -> Summary:
    status = api_pb2.STATUS_SUCCESS if completed else api_pb2.STATUS_FAILURE
    content = plugin_data_pb2.HParamsPluginData(
        session_end_info=plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    )
    summary = Summary()
    summary.value.add(tag=SESSION_END_INFO_TAG, metadata=create_summary_metadata(content), tensor=NULL_TENSOR)
    return summary


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
