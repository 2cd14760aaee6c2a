from __future__ import annotations

import errno
import json
import os
import sysconfig
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError, RunError
from dltrain.base.own_code import library_refusals, raised_in_own_code


def error_of(code: str, file: str) -> BaseException:
    with pytest.raises((ZeroDivisionError, json.JSONDecodeError)) as found:
        exec(compile(code, file, "exec"), {"json": json})
    assert found.value.__traceback__
    return found.value.with_traceback(found.value.__traceback__.tb_next)  # without this test


def test_an_error_through_a_module_of_the_person_is_their_own(tmp_path: Path) -> None:
    file = str(tmp_path / "network.py")
    assert raised_in_own_code(error_of("1 / 0", file))
    # Also where a library raises it in the end.
    assert raised_in_own_code(error_of("json.loads('{')", file))


def test_an_error_of_a_library_or_of_dltrain_is_not() -> None:
    for file in (json.__file__, raised_in_own_code.__code__.co_filename):
        assert not raised_in_own_code(error_of("1 / 0", file))
    assert not raised_in_own_code(error_of("1 / 0", "<frozen importlib._bootstrap>"))
    assert not raised_in_own_code(ConfigError("raised nowhere"))


def test_a_file_that_is_no_python_is_the_persons_own(tmp_path: Path) -> None:
    file = str(tmp_path / "network.py")
    with pytest.raises(SyntaxError) as found:
        compile("def", file, "exec")
    found.value.__traceback__ = None
    assert raised_in_own_code(found.value)


def test_what_keras_refuses_is_a_sentence_and_a_full_disk_is_no_refusal() -> None:
    saving = Path(sysconfig.get_path("purelib")) / "keras" / "src" / "saving" / "saving_lib.py"
    training = compile("with library_refusals():\n    exec(refusal)", raised_in_own_code.__code__.co_filename, "exec")

    def fail(error: Exception) -> None:
        refusal = compile("raise error", str(saving), "exec")
        exec(training, {"library_refusals": library_refusals, "refusal": refusal, "error": error})

    refused = ValueError("a layer expects another shape")
    with pytest.raises(RunError, match="Keras cannot train or score this network: a layer expects another shape"):
        fail(refused)
    with pytest.raises(OSError, match="No space left on device"):
        fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
