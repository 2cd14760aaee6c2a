from __future__ import annotations

import errno

import pytest

from dltrain.base.errors import ConfigError, RunError
from dltrain.base.tell import exit_code, tell, tell_any, tell_unexpected


def test_each_fault_has_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    tell(ConfigError(["seed: expected a\n   number", "cv: unknown"]))
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", ["error: seed: expected a number", "error: cv: unknown"])


@pytest.mark.parametrize("file", [None, "model.keras"])
def test_a_full_disk_is_told_in_a_sentence(file: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    tell_unexpected(OSError(errno.ENOSPC, "No space left on device", file))
    where = f" '{file}'" if file else ""
    assert capsys.readouterr().err == f"error: a file{where} cannot be written: No space left on device.\n"


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file"), ValueError("wrong")])
def test_a_bug_shows_its_traceback(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise error
    except Exception as raised:
        tell_unexpected(raised)
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert "raise error" in err
    assert err.rstrip().endswith(str(error))


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ConfigError("seed: unknown"), 2, "error: seed: unknown\n"),
        (RunError("it diverged"), 1, "error: it diverged\n"),
        (ValueError("a bug"), 1, "ValueError: a bug\n"),
    ],
)
def test_any_error_has_its_words_and_its_exit_code(
    error: Exception, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_any(error)
    assert capsys.readouterr().err == told
    assert exit_code(error) == code
