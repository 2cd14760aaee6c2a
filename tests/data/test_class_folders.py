"""The class of a file is the folder just below the root, and no file is left without a word."""

from __future__ import annotations

import io
import re
import tarfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dltrain.base.errors import DataError
from dltrain.data.class_folders import check_classes, choose_files, class_files, count_classes

FORMS = ("folder", "zip", "tar", "tar.gz")


def pack(names: list[str], path: Path) -> Path:
    """Makes a folder or archive of empty files, or of folders where a name ends with a slash."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name in names:
                packed.writestr(name, "")
    elif ".tar" in path.name:
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
            for name in names:
                member = tarfile.TarInfo(name.rstrip("/"))
                member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
                tar.addfile(member, io.BytesIO())
    else:
        for name in names:
            file = path / name
            (file if name.endswith("/") else file.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                file.touch()
    return path


def classes_of(names: list[str], path: Path, form: str = "folder") -> tuple[dict[str, str], frozenset[str], str]:
    """Returns the class of each file, those of the test set, and all notes."""
    found = class_files(choose_files(pack(names, path / f"data.{form}"), "text", (".txt",)))
    return dict(found.classes), found.test, " ".join(found.notes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", ["", "pets/", "a/b/"])
def test_the_class_is_below_the_root_however_deep_the_file_lies(tmp_path: Path, form: str, around: str) -> None:
    names = [f"{around}{name}" for name in ("cats/1.txt", "cats/cam1/2.TXT", "dogs/cam1/x/3.txt", "dogs/cam2/4.txt")]
    found, test, notes = classes_of(names, tmp_path, form)
    assert found == dict(zip(sorted(names), ["cats", "cats", "dogs", "dogs"], strict=True))
    assert not test
    assert count_classes(found.values()) == "classes: cats 2, dogs 2."
    assert notes == (f"the classes are the folders of {around[:-1]}." if around else "")


@pytest.mark.parametrize("form", FORMS)
def test_hidden_files_and_folders_are_no_class(tmp_path: Path, form: str) -> None:
    hidden = [
        ".ipynb_checkpoints/1-checkpoint.txt", "pos/.ipynb_checkpoints/1-checkpoint.txt", "pos/._1.txt", ".DS_Store",
        "__MACOSX/pos/._1.txt", "neg/@eaDir/1.txt",
    ]  # fmt: skip
    found, _, notes = classes_of(["pos/1.txt", "neg/1.txt", *hidden], tmp_path, form)
    assert found == {"neg/1.txt": "neg", "pos/1.txt": "pos"}
    assert "skipped 6 hidden files: .DS_Store, .ipynb_checkpoints/1-checkpoint.txt, " in notes


PARTED = {
    "train and test": (["train/a/1.txt", "train/b/x/1.txt", "test/a/2.txt", "test/b/2.txt"], "ab", 2),
    "all three": (["Training/a/1.txt", "val/b/1.txt", "testing/a/2.txt"], "ab", 1),
    "test beside the classes": (["a/1.txt", "b/1.txt", "test/a/2.txt"], "ab", 1),
    "validation beside the classes": (["a/1.txt", "b/1.txt", "validation/a/2.txt"], "ab", 0),
    "test alone": (["test/a/1.txt", "test/b/2.txt"], "ab", 0),
    "a train is no part": (["train/cam1/1.txt", "bus/cam1/2.txt"], ("bus", "train"), 0),
    "valid is no part": (["valid/cam1/1.txt", "invalid/cam1/2.txt"], ("invalid", "valid"), 0),
    "loose test files": (["train/a/1.txt", "train/b/1.txt", "test/a/1.txt", "test/1.txt"], "ab", 1),
    "a folder beside the parts": (["train/a/1.txt", "test/b/1.txt", "unsup/c/1.txt", "unsup/c/2.txt"], "ab", 1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", PARTED)
def test_parts_stand_around_the_classes(tmp_path: Path, form: str, case: str) -> None:
    names, classes, tested = PARTED[case]
    found, test, notes = classes_of(names, tmp_path, form)
    assert set(found.values()) == set(classes)
    assert len(test) == tested
    assert all(name.casefold().startswith("test") for name in test)
    left = sorted(set(names) - set(found))
    assert (f"skipped {len(left)} file" in notes) == bool(left)
    assert all(name in notes for name in left)


def test_a_class_does_not_vanish_without_a_word(tmp_path: Path) -> None:
    found, _, notes = classes_of(["a/1.txt", "b/1.txt", "c/1.md", "c/2.md", "d/", "readme.txt"], tmp_path)
    assert set(found.values()) == {"a", "b"}
    assert "no class: c, d, without a file of texts." in notes
    assert "skipped 2 files whose suffix is of no text: c/1.md, c/2.md." in notes
    assert "skipped 1 file in no folder of a class: readme.txt." in notes


def test_both_unicode_spellings_are_one_class(tmp_path: Path) -> None:
    names = [f"train/{unicodedata.normalize('NFC', 'née')}/1.txt", f"test/{unicodedata.normalize('NFD', 'née')}/2.txt"]
    found, _, _ = classes_of(names, tmp_path)
    assert set(found.values()) == {unicodedata.normalize("NFC", "née")}
    assert set(found) == set(names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["a.txt", "b.txt"],
            r"a\.txt lies in no folder of a class; .* such as cats/a\.txt",
        ),
        (["cats/a.txt"], "texts of one class alone, 'cats'"),
        (["train/a.txt", "test/a.txt"], "the folders test and train name parts and hold texts themselves"),
    ],
)
def test_folders_without_two_classes_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    chosen = choose_files(pack(names, tmp_path / "data"), "text", (".txt",))
    with pytest.raises(DataError, match=message):
        check_classes(chosen, class_files(chosen))


def test_a_folder_without_such_files_tells_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no text: expected files that end with \.txt; got a/1\.md\."):
        choose_files(pack(["a/1.md", "a/.2.txt"], tmp_path / "data"), "text", (".txt",))


words = st.sampled_from(["a", "b", "test", "train", "val", ".git", "__MACOSX", "é", "c d"])
files = st.sampled_from(["1.txt", "2.TXT", "3.md", ".4.txt", "5"])
trees = st.lists(st.builds(lambda path, file: "/".join([*path, file]), st.lists(words, max_size=4), files), min_size=1)


@settings(max_examples=60)
@given(names=trees, form=st.sampled_from(FORMS))
def test_every_file_is_in_a_class_or_counted(names: list[str], form: str, tmp_path_factory: Any) -> None:
    names = sorted(set(names))
    path = tmp_path_factory.mktemp("tree")
    seen = [name for name in names if not re.search(r"(^|/)(\.|__MACOSX)", name)]
    wanted = [name for name in seen if name.lower().endswith(".txt")]
    assume(wanted)
    found, test, notes = classes_of(names, path, form)
    counted = sum(int(number) for number in re.findall(r"skipped (\d+) ", notes))
    assert len(found) + counted == len(names)
    assert set(found) <= set(wanted)
    assert test <= set(found)
    for name, label in found.items():
        assert label in name.split("/")[:-1]
        assert not label.startswith((".", "__MACOSX"))
    # Hidden files change nothing, and neither does the form.
    (path / "again").mkdir()
    assert classes_of(seen, path / "again")[:2] == (found, test)
