from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

import dltrain
from dltrain.base.errors import ConfigError
from dltrain.cli.main import main


def test_it_is_served_beside_a_notebook_until_it_is_stopped(tmp_path: Path, write_run: Callable[..., Path]) -> None:
    write_run("a")
    shown = dltrain.board(tmp_path / "outputs")
    try:
        assert f'href="{shown.url}"' in shown._repr_html_()
        with urllib.request.urlopen(f"{shown.url}api/runs", timeout=20) as answer:
            assert [row["run"] for row in json.load(answer)["rows"]] == ["a"]
    finally:
        shown.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(shown.url, timeout=5)


def test_faults_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="There is no folder"):
        dltrain.board(tmp_path / "none")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="cannot be listened on"):
        dltrain.board(tmp_path, port=taken.getsockname()[1])
    assert main(["board", str(tmp_path), "--port", "70000"]) == 2
    assert "expected a port from 0 to 65535" in capsys.readouterr().err
    assert main(["board", str(tmp_path / "none")]) == 2
    assert "There is no folder" in capsys.readouterr().err
