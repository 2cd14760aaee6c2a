from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig

from dltrain.api import jobs
from dltrain.base.errors import ConfigError


@pytest.mark.parametrize("error", [ConfigError("seed: unknown"), ValueError("a bug")])
def test_the_error_of_a_failed_job_is_kept(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(config: Any, **_: Any) -> float:
        raise error

    monkeypatch.setattr(jobs, "run_job", fails)
    errors: list[Exception] = []
    assert jobs.keeping(errors)(DictConfig({})) is None
    assert errors == [error]


def test_a_job_that_succeeds_leaves_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "run_job", lambda config, **_: 0.5)
    errors: list[Exception] = []
    assert jobs.keeping(errors)(DictConfig({})) == 0.5
    assert errors == []
