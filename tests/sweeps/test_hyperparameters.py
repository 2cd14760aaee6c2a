from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import api_pb2
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
