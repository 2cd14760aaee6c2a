"""Files are read; devices, pipes, sockets and what cannot be reached are named."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dltrain.base import regular_file
from dltrain.base.errors import DataError
from dltrain.base.regular_file import find, is_reachable, read_regular


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """What is no file, by what it is called."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("This system has neither pipes nor sockets with a name.")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket may have a hundred characters at most
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
        yield {
            "a named pipe": tmp_path / "pipe",
            "a socket": tmp_path / "socket",
            "a device": Path("/dev/zero"),
            "a folder": tmp_path / "folder",
        }


def test_what_is_no_file_is_neither_found_nor_read(strange: dict[str, Path]) -> None:
    for kind, path in strange.items():
        with pytest.raises(DataError, match=f"^--input: {path} is {kind}; expected a file"):
            find(path, key="--input", expected="file")
        with pytest.raises(OSError, match=f"it is {kind}; expected a file"):
            read_regular(path)
    assert find(strange["a folder"], key="--input", expected="folder", folder=True) == strange["a folder"]
    with pytest.raises(DataError, match="is a device"):
        find("/dev/zero", key="--input", expected="folder", folder=True)


def test_a_pipe_of_the_shell_may_be_a_stream(strange: dict[str, Path]) -> None:
    reading, writing = os.pipe()
    path = Path(f"/dev/fd/{reading}")
    try:
        assert find(path, key="--input", expected="file", stream=True) == path
        with pytest.raises(DataError, match="a named pipe"):
            find(path, key="dataset.path", expected="file")
        with pytest.raises(DataError, match="a named pipe"):
            find(strange["a named pipe"], key="--input", expected="file", stream=True)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_link_to_a_file_is_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to("a")
    assert read_regular(find(tmp_path / "b", key="k", expected="file")) == b"content"
    if not Path("/dev/zero").exists():
        return
    (tmp_path / "c").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="a device"):
        read_regular(tmp_path / "c")


def test_a_file_larger_than_the_memory_is_told_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(2_000)
    with pytest.raises(OSError, match="it has 2,000 bytes, more than the 1,999 that are read of such a file"):
        read_regular(path, most=1_999)
    monkeypatch.setattr(regular_file, "memory_bytes", lambda: 1_000)
    with pytest.raises(OSError, match="it has 2,000 bytes, more than the 1,000 that the memory of this machine holds"):
        read_regular(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("peple.csv", r"there is no file .*/peple\.csv\. Did you mean 'people\.csv'"),
        ("none/people.csv", r"there is no file .*/none/people\.csv, nor its folder .*/none\."),
        ("people.csv/x", r"nor its folder .*/people\.csv"),
        ("a\0b", "there is no file"),
        ("~nobodyhere/x", r"dataset\.path=~nobodyhere/x: "),
        ("x" * 300, "there is no file"),
    ],
)
def test_what_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str) -> None:
    (tmp_path / "people.csv").write_text("x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        find(path, key="dataset.path", expected="file")


def test_a_further_folder_may_have_it_or_be_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.csv").write_text("x")
    monkeypatch.chdir(tmp_path)
    assert find("a.csv", key="k", expected="file", also_in=[tmp_path / "kept"]) == tmp_path / "kept" / "a.csv"

    stat = Path.stat

    def closed(path: Path) -> os.stat_result:
        if "kept" in path.parts:
            raise PermissionError(13, "Permission denied")
        return stat(path)

    monkeypatch.setattr(Path, "stat", closed)
    with pytest.raises(DataError, match="there is no file"):
        find("a.csv", key="k", expected="file", also_in=[tmp_path / "kept"])
    assert is_reachable(tmp_path / "kept" / "a.csv") is False
    assert is_reachable(tmp_path)
    assert not is_reachable(Path("~nobodyhere/x"))
    with pytest.raises(DataError, match=r"kept/a\.csv cannot be read: Permission denied"):
        find("kept/a.csv", key="k", expected="file")
