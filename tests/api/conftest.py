from __future__ import annotations

import pytest

import dltrain


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> dltrain.Run:
    """A short run from Python."""
    directory = tmp_path_factory.mktemp("runs") / "python"
    return dltrain.train("dataset=wine", "model.units=[4]", trainer__epochs=3, report=False, directory=directory)
