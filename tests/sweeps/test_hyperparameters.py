from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tensorboard import context as tensorboard_context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
from tensorboard.plugins.hparams.metadata import (
    parse_session_end_info_plugin_data,
    parse_session_start_info_plugin_data,
)

from dltrain.sweeps.hyperparameters import write_hyperparameters


def read(directory: Path) -> dict[str, Any]:
    (file,) = directory.iterdir()
    values = [value for event in EventFileLoader(str(file)).Load() for value in event.summary.value]
    return {value.tag: value.metadata.plugin_data.content for value in values}


@pytest.mark.parametrize("completed", [True, False])
def test_a_dashboard_gets_numbers_words_and_the_end_of_a_job(tmp_path: Path, completed: bool) -> None:
    write_hyperparameters(tmp_path / "7" / "logs", ["seed=3", "+a.rate=1e-3", "optimizer=adam"], completed=completed)
    written = read(tmp_path / "7" / "logs")
    start = parse_session_start_info_plugin_data(written["_hparams_/session_start_info"])
    assert start.hparams["seed"].number_value == 3
    assert start.hparams["a.rate"].number_value == 1e-3
    assert start.hparams["optimizer"].string_value == "adam"
    end = parse_session_end_info_plugin_data(written["_hparams_/session_end_info"])
    assert end.status == (api_pb2.STATUS_SUCCESS if completed else api_pb2.STATUS_FAILURE)


def test_jobs_of_two_sweeps_are_trials_of_their_own(tmp_path: Path) -> None:
    jobs = [tmp_path / sweep / job / "tensorboard" for sweep in ("first", "second") for job in ("0", "1")]
    for place, job in enumerate(jobs):
        write_hyperparameters(job, [f"seed={place}"], completed=True)
    groups = session_groups(tmp_path)
    assert sorted(group.hparams["seed"].number_value for group in groups) == [0, 1, 2, 3]
    assert all(len(group.sessions) == 1 for group in groups)


def session_groups(folder: Path) -> list[Any]:
    """What the dashboard shows of all that is logged below a folder."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"hparams": 0})
    multiplexer.AddRunsFromDirectory(str(folder))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(folder))
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider, multiplexer=multiplexer))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=100, allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_UNKNOWN]
    )
    handler = list_session_groups.Handler(tensorboard_context.RequestContext(), context, "", request)
    return list(handler.run().session_groups)
