"""What is shown to be pasted reaches the program as it was meant, whatever the shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dltrain.base.shell_words import command, quoted

WORDS = (
    "optimizer=adam",
    "model.units=[128,64]",
    "~callbacks.tensorboard",
    "~/table.csv",
    "+search.space.optimizer.choices=[adam,nesterov]",
    'dataset.path="data (1).csv"',
    'dataset.path="it\'s.csv"',
    "a$HOME b`pwd`c!d\\e",
    "=ls",
    "*",
    "x;y|z&w<v>u#t^s%r{1,2}",
    "",
    "größe=ä",
    "two\nlines",
)


@pytest.mark.parametrize("shell", ["bash", "zsh", "sh"])
def test_every_shell_takes_the_words_as_they_are(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = "import json, sys; print(json.dumps(sys.argv[1:]))"
    line = f"{quoted(sys.executable)} -c {quoted(program)} {command(WORDS)}"
    done = subprocess.run([shell, "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    import json

    assert json.loads(done.stdout) == list(WORDS)


def test_plain_words_stay_bare() -> None:
    assert command(["dltrain", "optimizer=adam", "model.dropout=0.5", "a/b-c_d.csv"]) == (
        "dltrain optimizer=adam model.dropout=0.5 a/b-c_d.csv"
    )
