from __future__ import annotations

import gzip
import io
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from dltrain.base.errors import DataError
from dltrain.data import source_stream
from dltrain.data.source_stream import Source, seekable


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def read(path: Path | None) -> tuple[bytes, str]:
    with Source(path).open() as (stream, suffix):
        return stream.read(), suffix


def test_gzip_and_zip_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    for name, content in {"a.csv": b"x", "a.csv.gz": gzip.compress(b"x"), "a.tsv": gzip.compress(b"x")}.items():
        (tmp_path / name).write_bytes(content)
        assert read(tmp_path / name) == (b"x", ".tsv" if name == "a.tsv" else ".csv")
    files = {"__MACOSX/._t.jsonl": b"", "folder/t.jsonl": b"x", ".hidden": b""}
    assert read(zipped(tmp_path / "a.zip", files)) == (b"x", ".jsonl")


def test_standard_input_is_unpacked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(gzip.compress(b"x"))))
    assert read(None) == (b"x", "")


def test_a_packed_stream_can_be_read_from_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"abc"))
    with Source(tmp_path / "a.gz").open() as (stream, _), seekable(stream) as file:
        file.seek(-1, io.SEEK_END)
        assert file.read() == b"c"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "a.csv.gz is empty"),
        ("a.csv.gz", gzip.compress(b"x" * 100, mtime=0)[:-9], "not a complete gzip file"),
        ("a.zip", b"PK\x03\x04 and no more", "not a complete zip file"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_a_zip_of_two_tables_is_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds 2 files \(a.csv, b.csv\); expected one table"):
        read(zipped(tmp_path / "a.zip", {"a.csv": b"1", "b.csv": b"2"}))


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_stream, "LEAST_UNPACKED", 1000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"0" * 1_000_000))
    with pytest.raises(DataError, match="unpacks to more than"):
        read(tmp_path / "a.gz")
