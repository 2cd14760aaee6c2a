from __future__ import annotations

import os

import pytest

from dltrain.internals.tensorflow_quietly import standard_error_held


def test_what_was_held_back_is_written_whole(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:3]))  # as to a pipe that is nearly full

    def fail() -> None:
        write(2, b"a library is missing")
        raise ImportError

    with pytest.raises(ImportError), standard_error_held():
        fail()
    assert capfd.readouterr().err == "a library is missing"
