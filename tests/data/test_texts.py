"""Folders of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dltrain.base.errors import DataError
from dltrain.data.texts import load


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_the_folder_of_a_text_is_its_class(tmp_path: Path) -> None:
    files = {"pos/b.txt": b"Gr\xc3\xbcn", "neg/a.txt": b" ", "neg/.b": b"x", "neg/c.md": b"x", "readme.txt": b"x"}
    dataset = load(name="texts", path=str(write(tmp_path / "reviews", files)), encoding=None)
    assert dataset.name == "reviews"
    assert dataset.columns["text"].tolist() == ["", "Grün"]
    assert dataset.target["class"].tolist() == ["neg", "pos"]
    assert dataset.row_ids.tolist() == ["neg/a.txt", "pos/b.txt"]
    assert dataset.test_rows is None


def test_parts_make_an_official_test_set(tmp_path: Path) -> None:
    files = {f"{part}/{name}/1.txt": b"a" for part in ("train", "test", "unsup") for name in ("a", "b")}
    dataset = load(name="mine", path=str(write(tmp_path, files)), encoding=None)
    assert dataset.test_rows is not None
    assert dataset.test_rows.tolist() == [True, True, False, False]
    assert set(dataset.target["class"]) == {"a", "b"}


def test_a_guessed_encoding_is_told_three_times_at_most(tmp_path: Path) -> None:
    files = {f"{name}/{number}.txt": b"gr\xfcn" for name in "ab" for number in range(4)}
    dataset = load(name="texts", path=str(write(tmp_path, files)), encoding=None)
    assert len(dataset.notes) == 1 + 4
    assert "5 more files" in dataset.notes[-1]
    with pytest.raises(DataError, match="is not in utf-8"):
        load(name="texts", path=str(tmp_path), encoding="utf-8")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"has no text: expected files that end with \.txt"),
        ({"a/1.txt": b"x", "b/1.md": b"x"}, "has texts of one class alone, 'a'; expected a folder for each class"),
        ({"train/1.txt": b"x", "test/1.txt": b"x"}, "the folders test and train name parts"),
    ],
)
def test_fewer_than_two_classes_are_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(name="texts", path=str(write(tmp_path, files)), encoding=None)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder or archive of texts"):
        load(name="texts", path=str(tmp_path / "none"), encoding=None)


def test_a_folder_trains(run_in: Any, tmp_path: Path) -> None:
    files = {f"{name}/{number}.txt": f"{word} film {number}".encode()
             for name, word in (("pos", "good"), ("neg", "bad")) for number in range(30)}  # fmt: skip
    path = write(tmp_path / "reviews", files)
    run = run_in(
        tmp_path / "run", "dataset=texts", f"dataset.path={path}", "score_test=always", "trainer.epochs=20",
        "optimizer.learning_rate=0.1", "callbacks=learning_rate",
    )  # fmt: skip
    assert run.results.metrics["test"]["accuracy"] == 1.0
