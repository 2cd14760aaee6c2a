from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dltrain.training.interrupts import Interrupts

# A step that takes a minute or, with a word, ends when a signal has come.
LONG_STEP = """
import sys, time
from dltrain.training.interrupts import Interrupts
with Interrupts() as interrupts:
    print("ready", flush=True)
    while interrupts.received is None:
        time.sleep(0.01)
    print("noted", flush=True)
    time.sleep(60 if len(sys.argv) == 1 else 0)
    interrupts.check()
"""


@contextmanager
def started(code: str, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has said that it is ready; it is killed at the end, so that a test that fails does not wait."""
    command, environment = [sys.executable, "-c", code, *words], {"PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ((signal.SIGINT, signal.SIGINT), 130),
        ((signal.SIGTERM, signal.SIGTERM), 143),
        ((signal.SIGINT, signal.SIGTERM), 143),
    ],
)
def test_second_signal_quits_at_once(signals: tuple[signal.Signals, ...], code: int) -> None:
    with started(LONG_STEP) as process:
        process.send_signal(signals[0])
        assert process.stdout
        assert process.stdout.readline() == b"noted\n"
        began = time.monotonic()
        process.send_signal(signals[1])
        assert process.wait(timeout=30) == code
        assert time.monotonic() - began < 10
        assert process.stderr
        assert b"a second signal quits at once" in process.stderr.read()


def test_at_the_prompt_the_second_interrupt_ends_the_training_and_not_the_process() -> None:
    prompt = "import sys; sys.ps1 = '>>> '\n" + LONG_STEP.replace("with Interrupts", "try:\n  with Interrupts").replace(
        "\n    ", "\n      "
    )
    with started(f"{prompt}except KeyboardInterrupt:\n  print('kept')") as process:
        for answer in (b"noted\n", b"kept\n"):
            process.send_signal(signal.SIGINT)
            assert process.stdout
            assert process.stdout.readline() == answer
        assert process.wait(timeout=30) == 0


def test_who_has_taken_interrupts_before_gets_the_second_one_too() -> None:
    owned = """
import os, signal, time
from dltrain.training.interrupts import Interrupts
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"owned\\n"))  # print may be at work when the signal comes
with Interrupts():
    print("ready", flush=True)
    for _ in range(6_000):
        time.sleep(0.01)
"""
    with started(owned) as process:
        assert process.stdout
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == b"owned\n"
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


def test_first_signal_waits_for_the_step_and_keeps_its_exit_code() -> None:
    with started(LONG_STEP, "short") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
    with started(LONG_STEP, "short") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) != 0
        assert process.stderr
        assert b"KeyboardInterrupt" in process.stderr.read()


def test_signal_that_nobody_asked_for_is_not_lost_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as raised, Interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_other_threads_leave_signals_alone() -> None:
    found: list[object] = []

    def enter() -> None:
        with Interrupts() as interrupts:
            found.append(interrupts.received)

    thread = threading.Thread(target=enter)
    before = signal.getsignal(signal.SIGINT)
    thread.start()
    thread.join()
    assert found == [None]
    assert signal.getsignal(signal.SIGINT) is before
