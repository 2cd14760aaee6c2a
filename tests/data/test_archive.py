from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from dltrain.base.errors import DataError
from dltrain.data import archive
from dltrain.data.archive import list_names, read_files, stem

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
        with zipfile.ZipFile(path, "w") as packed:
            packed.write(folder / "pos", "pos")
            for name in FILES:
                packed.write(folder / name, name)
    else:
        with tarfile.open(path, f"w:{request.param.removeprefix('tar').removeprefix('.')}") as packed:
            for name in FILES:
                packed.add(folder / name, name)
    return path


def test_every_form_holds_the_same_wanted_files(location: Path) -> None:
    found = dict(read_files(location, lambda name: name.endswith(".txt")))
    assert found == {name: content for name, content in FILES.items() if name.endswith(".txt")}
    assert dict(read_files(location, lambda _: True)) == FILES  # a folder in an archive is no file


def test_a_member_whose_name_leads_outside_is_read_and_written_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "inner" / "bad.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("../escaped.txt", "content")
    assert dict(read_files(path, lambda _: True)) == {"../escaped.txt": b"content"}
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.txt", "content")
    path.write_bytes(path.read_bytes().replace(b"content", b"contend"))
    with pytest.raises(DataError, match=r"Cannot read .*damaged\.zip as a \.zip archive"):
        list(read_files(path, lambda _: True))


def test_names_come_without_content_and_folders_with_a_slash(location: Path) -> None:
    names = list_names(location)
    assert sorted(name for name in names if not name.endswith("/")) == sorted(FILES)
    assert {name for name in names if name.endswith("/")} <= {"pos/", "neg/"}
    assert stem(location) == ("folder" if location.is_dir() else "files")


class TestLimits:
    @pytest.fixture(params=["folder", "zip", "tar.gz"])
    def bomb(self, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
        """Three files of 1,001 zeros each."""
        files = {f"{name}.txt": bytes(1_001) for name in "abc"}
        path = tmp_path / f"bomb.{request.param}"
        if request.param == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
                for name, content in files.items():
                    packed.writestr(name, content)
        elif request.param == "tar.gz":
            make_tar(path, files)
        else:
            path.mkdir()
            for name, content in files.items():
                (path / name).write_bytes(content)
        return path

    def test_a_file_that_is_too_large_is_named_with_its_size(self, bomb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MOST_OF_A_FILE", 1_000)
        with pytest.raises(DataError, match=r"1,001 bytes.* 1,000 "):
            list(read_files(bomb, lambda name: True))
        assert list(read_files(bomb, lambda name: False)) == []

    def test_an_archive_unpacks_to_a_limit(self, bomb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MOST_UNPACKED", 2_500)
        monkeypatch.setattr(archive, "MOST_RATIO", 1)
        if bomb.is_dir():
            assert len(list(read_files(bomb, lambda name: True))) == 3
        else:
            with pytest.raises(DataError, match="unpacks to more than 2,500 bytes"):
                list(read_files(bomb, lambda name: True))


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.txt").write_bytes(b"good")
    root = tmp_path / "root"
    root.mkdir()
    (root / "pos").symlink_to(tmp_path / "elsewhere")
    (root / "back").symlink_to(root)
    assert dict(read_files(root, lambda _: True)) == {"pos/1.txt": b"good"}


def test_names_of_other_systems_become_unicode(tmp_path: Path) -> None:
    path = tmp_path / "windows.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("cats\\a.txt", "content")
        packed.writestr("KaXXtzchen/a.txt", "content")
    path.write_bytes(path.read_bytes().replace(b"KaXX", b"Ka\xcc\x88"))  # macOS does not tell that it writes UTF-8
    assert sorted(list_names(path)) == ["Ka\u0308tzchen/a.txt", "cats/a.txt"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_name_that_is_no_unicode_is_written_with_escapes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt")).write_bytes(b"x")
    assert dict(read_files(folder, lambda _: True)) == {"caf\\xe9.txt": b"x"}


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_gives_wanted_files_and_unpacks_nothing(tmp_path: Path, mode: str) -> None:
    (tmp_path / "in").mkdir()
    path = make_tar(tmp_path / "in" / "some.tar", {"../evil.txt": b"1", "/abs.txt": b"2", "no.bin": b"3"}, mode)
    files = dict(read_files(path, lambda name: name.endswith(".txt")))
    assert files == {"../evil.txt": b"1", "/abs.txt": b"2"}
    assert [file.name for file in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_tar_refuses_a_truncated_archive(tmp_path: Path, share: float) -> None:
    content = make_tar(tmp_path / "whole.tar.gz", {f"{n}.txt": os.urandom(2000) for n in range(20)}).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"cut\.tar\.gz"):
        list(read_files(cut, lambda name: True))


def test_a_tar_refuses_damage_that_only_the_checksum_shows(tmp_path: Path) -> None:
    plain = make_tar(tmp_path / "plain.tar", {"a.txt": b"text"}, "w").read_bytes()
    stored = bytearray(gzip.compress(plain, compresslevel=0))
    stored[stored.index(b"text")] ^= 1
    (tmp_path / "bad.tar.gz").write_bytes(stored)
    with pytest.raises(DataError, match="CRC"):
        list(read_files(tmp_path / "bad.tar.gz", lambda name: True))


def test_a_tar_refuses_other_files(tmp_path: Path) -> None:
    (tmp_path / "page.tar.gz").write_text("<html>not found</html>" * 100)
    with pytest.raises(DataError, match=r"page\.tar\.gz as a \.tar"):
        list(read_files(tmp_path / "page.tar.gz", lambda name: True))
