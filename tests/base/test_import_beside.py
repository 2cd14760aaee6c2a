from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path

import pytest

from dltrain.base.import_beside import import_beside


def wait() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("import "):
            thread.join()


def test_module_is_there_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needed_later.py").write_text("import threading\nTHREAD = threading.current_thread().name\n")
    import_beside("needed_later")
    assert importlib.import_module("needed_later").THREAD == "import needed_later"
    wait()
    before = threading.active_count()
    import_beside("needed_later")
    import_beside(None)
    assert threading.active_count() == before


def test_who_needs_the_module_gets_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_later.py").write_text("raise ValueError('broken')\n")
    import_beside("broken_later")
    wait()
    assert capsys.readouterr().err == ""
    assert "broken_later" not in sys.modules
    with pytest.raises(ValueError, match="broken"):
        importlib.import_module("broken_later")
