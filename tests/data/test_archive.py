from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from dltrain.base.errors import DataError
from dltrain.data.archive import read_files

FILES = {"pos/1.txt": b"good", "neg/2.txt": b"bad", "about.md": b"not wanted"}


@pytest.fixture(params=["folder", "zip", "tar", "tar.gz"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    if request.param == "folder":
        return folder
    path = tmp_path / f"files.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(folder / "pos", "pos")
            for name in FILES:
                archive.write(folder / name, name)
    else:
        with tarfile.open(path, f"w:{request.param.removeprefix('tar').removeprefix('.')}") as archive:
            for name in FILES:
                archive.add(folder / name, name)
    return path


def test_every_form_holds_the_same_wanted_files(location: Path) -> None:
    found = dict(read_files(location, lambda name: name.endswith(".txt")))
    assert found == {name: content for name, content in FILES.items() if name.endswith(".txt")}
    assert dict(read_files(location, lambda _: True)) == FILES  # a folder in an archive is no file


def test_a_member_whose_name_leads_outside_is_read_and_written_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "bad.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../escaped.txt", "content")
    assert dict(read_files(path, lambda _: True)) == {"../escaped.txt": b"content"}
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "content")
    path.write_bytes(path.read_bytes().replace(b"content", b"contend"))
    with pytest.raises(DataError, match=r"Cannot read .*damaged\.zip as a \.zip archive"):
        list(read_files(path, lambda _: True))
