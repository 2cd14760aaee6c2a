"""Outputs that nobody reads, or that lack letters, end no run."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dltrain.base import streams
from dltrain.base.console import PrintableConsole

PROGRAM = """
import sys
from dltrain.base.show import show
from dltrain.cli import main as cli

def train(words):
    for number in range(5000):
        show("epoch", number, "± …", "x" * 40)
    open("done", "w").close()
    return 0

cli._train = train
sys.exit(cli.main())
"""


@pytest.fixture
def pipe_without_reader() -> Iterator[io.FileIO]:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb", buffering=0) as file:
        yield file


def test_writing_goes_on_where_nobody_reads(pipe_without_reader: io.FileIO) -> None:
    stream = streams.Lasting(io.BufferedWriter(pipe_without_reader, 16), "utf-8")
    for _ in range(3):
        stream.write("more than the buffer holds\n")
        stream.flush()
    stream.detach().detach()


def test_console_raises_what_the_command_line_answers() -> None:
    with pytest.raises(BrokenPipeError):
        PrintableConsole(file=io.StringIO()).on_broken_pipe()


@pytest.mark.parametrize(("end", "code"), [("| head -n 1", 0), ("2>&1 | head -n 1", 0), (">&-", 0), ("| cat", 0)])
def test_training_goes_on_whatever_happens_to_its_output(tmp_path: Path, end: str, code: int) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).parents[2])}
    line = f"set -o pipefail; '{sys.executable}' program.py optimizer=adam {end}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert (tmp_path / "done").exists()
    if end != ">&-":
        assert done.stdout.startswith("epoch 0 \\xb1 \\u2026 xxx")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C"}])
def test_a_pipe_gets_no_colours_and_no_traceback(variables: dict[str, str], tmp_path: Path) -> None:
    environment = os.environ | variables | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "dltrain", "trian"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "\x1b" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
