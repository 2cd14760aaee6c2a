from __future__ import annotations

from typing import Any

import pytest
from omegaconf import DictConfig

from dltrain.api import jobs
from dltrain.base.errors import ConfigError, RunError


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("seed: unknown"), 2, "error: seed: unknown\n"),
        (RunError("it diverged"), 1, "error: it diverged\n"),
        (ValueError("a bug"), 1, "ValueError: a bug\n"),
    ],
)
def test_a_failed_job_is_told_and_leaves_its_exit_code(
    error: Exception, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(config: Any) -> float:
        raise error

    monkeypatch.setattr(jobs, "run_job", fails)
    codes: list[int] = []
    assert jobs.reporting(codes)(DictConfig({})) is None
    assert codes == [code]
    assert capsys.readouterr().err.endswith(told)


def test_a_job_that_succeeds_leaves_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "run_job", lambda config: 0.5)
    codes: list[int] = []
    assert jobs.reporting(codes)(DictConfig({})) == 0.5
    assert codes == []
