import hashlib
import http.server
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from dltrain.base.errors import DataError
from dltrain.data import storage


@pytest.fixture(autouse=True)
def _own_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_data_directory_is_the_variable_or_the_user_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert storage.data_directory() == tmp_path / "data"
    monkeypatch.delenv("DLTRAIN_DATA_DIR")
    assert storage.data_directory().name == "dltrain"
    assert storage.data_directory().is_absolute()


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 404)
            self.send_header("Content-Length", "9")
            self.end_headers()
            self.wfile.write(b"some data")

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_download_checks_and_logs(server: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    destination = tmp_path / "folder" / "file.bin"
    assert storage.download(f"{server}/good", hashlib.sha256(b"some data").hexdigest(), destination) == destination
    assert destination.read_bytes() == b"some data"
    assert f"{server}/good" in caplog.text
    assert "100%" in caplog.text


def test_download_with_another_hash_is_not_kept(server: str, tmp_path: Path) -> None:
    destination = tmp_path / "file.bin"
    destination.write_text("old")
    with pytest.raises(DataError) as caught:
        storage.download(f"{server}/good", "0" * 64, destination)
    assert hashlib.sha256(b"some data").hexdigest() in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert destination.read_text() == "old"
    assert names(tmp_path) == ["file.bin"]


def test_download_says_why_it_failed(server: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/missing .*Not Found"):
        storage.download(f"{server}/missing", "0" * 64, tmp_path / "file.bin")
    with pytest.raises(DataError, match="refused"):
        storage.download("http://127.0.0.1:1/x", "0" * 64, tmp_path / "file.bin")
    assert names(tmp_path) == []


def test_fingerprint_changes_with_any_file_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    first = storage.fingerprint(folder)
    assert storage.fingerprint(folder) == first
    os.utime(folder / "sub" / "a.txt", ns=(0, 0))
    second = storage.fingerprint(folder)
    (folder / "b.txt").write_text("b")
    assert len({first, second, storage.fingerprint(folder)}) == 3


def test_fingerprint_can_be_that_of_files_with_one_ending(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = storage.fingerprint(tmp_path, ending=".py")
    (tmp_path / "a.pyc").write_text("1")
    assert storage.fingerprint(tmp_path, ending=".py") == first != storage.fingerprint(tmp_path)
    (tmp_path / "b.py").write_text("1")
    assert storage.fingerprint(tmp_path, ending=".py") != first


def test_fingerprint_names_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.txt"):
        storage.fingerprint(tmp_path / "gone.txt")


class Builder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> pa.Table:
        self.calls += 1
        return pa.table({"text": ["one", "two"]}).replace_schema_metadata({"notes": "kept"})


def test_cached_table_is_built_once() -> None:
    build = Builder()
    built = storage.cached_table("some_1", build)
    again = storage.cached_table("some_1", build)
    assert build.calls == 1
    assert again.equals(built)
    assert again.schema.metadata[b"notes"] == b"kept"
    storage.cached_table("some_2", build)
    assert build.calls == 2


def test_any_damaged_byte_of_a_cached_table_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    build = Builder()
    expected = storage.cached_table("some_1", build)
    (path,) = (storage.data_directory() / "parsed").iterdir()
    content = path.read_bytes()
    for position in range(0, len(content), 97):
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        calls = build.calls
        assert storage.cached_table("some_1", build).equals(expected)
        assert build.calls == calls + 1
    assert "damaged" in caplog.text
    assert path.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_said_and_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "file"))
    assert storage.cached_table("some_1", Builder())["text"].to_pylist() == ["one", "two"]
    assert "Cannot keep" in caplog.text


def test_without_a_home_nothing_is_kept_and_all_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", "~nobodyhere/data")
    with pytest.raises(DataError, match=r"no home directory .*; name a folder in .*DLTRAIN_DATA_DIR"):
        storage.data_directory()
    assert storage.data_directories() == []
    table = pa.table({"a": [1]})
    assert storage.cached_table("key", lambda: table) is table
