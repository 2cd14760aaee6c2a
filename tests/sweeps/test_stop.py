from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from dltrain.sweeps.stop import asked_to_stop, in_main_process, stoppable


def test_first_ctrl_c_is_a_request_and_the_second_ends_the_jobs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stoppable(tmp_path):
        assert in_main_process(tmp_path)
        assert not asked_to_stop(tmp_path)
        os.kill(os.getpid(), signal.SIGINT)
        assert asked_to_stop(tmp_path)
        assert "press Ctrl-C again" in capsys.readouterr().err
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert not in_main_process(tmp_path)
    assert asked_to_stop(tmp_path)
    with stoppable(tmp_path):
        assert not asked_to_stop(tmp_path)


def test_other_threads_cannot_listen_but_may_run_a_sweep(tmp_path: Path) -> None:
    before, inside = signal.getsignal(signal.SIGINT), []

    def enter() -> None:
        with stoppable(tmp_path):
            inside.append(in_main_process(tmp_path))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert inside == [True]
    assert signal.getsignal(signal.SIGINT) is before


def test_file_of_another_process_is_not_this_one(tmp_path: Path) -> None:
    (tmp_path / ".main").write_text("elsewhere 1")
    assert not in_main_process(tmp_path)
