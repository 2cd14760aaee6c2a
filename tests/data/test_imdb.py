import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import imdb
from dltrain.data.dataset import Dataset

REVIEWS = {
    "train/pos/10_9.txt": "Fine.<br /><br />Très bien",
    "train/pos/9_7.txt": "good",
    "train/neg/0_1.txt": "bad",
    "test/neg/2_4.txt": "weak",
    "test/pos/0_10.txt": "great",
    "train/unsup/0_0.txt": "who knows",
    "train/urls_pos.txt": "http://…",
    "README": "read me",
}
ROW_IDS = ["train/neg/0_1", "train/pos/9_7", "train/pos/10_9", "test/neg/2_4", "test/pos/0_10"]


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(imdb, "URL", "http://127.0.0.1:1/aclImdb_v1.tar.gz")


def load(path: Path | None = None, target: str = "sentiment") -> Dataset:
    return imdb.load(name="imdb", path=None if path is None else str(path), target=target)


def make_archive(path: Path, reviews: dict[str, str | bytes], level: str = "aclImdb/", mode: str = "w:gz") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, text in reviews.items():
            content = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(level + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def make_folder(path: Path) -> Path:
    for name, text in REVIEWS.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(text.encode())
    return path


def test_archive_as_sentiment(tmp_path: Path) -> None:
    dataset = load(make_archive(tmp_path / "some.tar.gz", REVIEWS))
    assert dataset.row_ids.tolist() == ROW_IDS
    assert dataset.columns["review"].tolist() == [
        "bad",
        "good",
        REVIEWS["train/pos/10_9.txt"],
        "weak",
        "great",
    ]
    assert dataset.columns["review"].dtype == object
    assert dataset.kinds == {"review": "text"}
    assert dataset.target["sentiment"].tolist() == [
        "negative",
        "positive",
        "positive",
        "negative",
        "positive",
    ]
    assert dataset.test_rows is not None
    assert dataset.test_rows.tolist() == [False, False, False, True, True]
    assert (dataset.task, dataset.target_range) == ("binary", None)
    assert dataset.notes[0] == "Skipped 1 reviews without a label (train/unsup)."
    assert dataset.notes[1] == "Skipped 2 files that are not reviews: aclImdb/train/urls_pos.txt, aclImdb/README."
    assert "here are 3 + 2" in dataset.notes[2]


def test_archive_as_rating(tmp_path: Path) -> None:
    dataset = load(make_archive(tmp_path / "some.tar", REVIEWS, level="./", mode="w"), "rating")
    assert dataset.target["rating"].tolist() == [1.0, 7.0, 9.0, 4.0, 10.0]
    assert dataset.target["rating"].dtype == np.float64
    assert (dataset.task, dataset.target_range) == ("unit_regression", (1.0, 10.0))


def test_all_layouts_give_the_same_data(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "unpacked" / "aclImdb")
    archive = make_archive(tmp_path / "archives" / "aclImdb_v1.tar.gz", REVIEWS)
    paths = [folder, folder.parent, archive, archive.parent]
    assert len({load(path).sha256() for path in paths}) == 1


@pytest.mark.parametrize("place", ["imdb/aclImdb_v1.tar.gz", "aclImdb_labeled_50k.tar.gz", "imdb/aclImdb", "aclImdb"])
def test_the_data_directory_is_searched(tmp_path: Path, place: str) -> None:
    path = tmp_path / "data" / place
    if path.suffix:
        make_archive(path, REVIEWS)
    else:
        make_folder(path)
    dataset = load()
    assert dataset.row_ids.tolist() == ROW_IDS
    assert str(path) in dataset.source


def test_second_load_reads_the_cache_until_the_source_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_archive(tmp_path / "some.tar.gz", REVIEWS)
    first = load(path)
    with monkeypatch.context() as patch:
        patch.setattr(imdb, "read_files", lambda *arguments: pytest.fail("parsed again"))
        second = load(path)
    assert second.sha256() == first.sha256()
    assert second.notes == first.notes
    make_archive(path, {**REVIEWS, "train/neg/5_2.txt": "new"})
    assert len(load(path)) == 6


def test_unknown_target_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"dataset\.target=sentimant.*Did you mean 'sentiment'"):
        load(target="sentimant")


@pytest.mark.parametrize("target", ["sentiment", "rating"])
def test_offline_and_nothing_there_says_what_to_do(tmp_path: Path, target: str) -> None:
    with pytest.raises(DataError) as caught:
        load(target=target)
    message = str(caught.value)
    assert f"Put the file aclImdb_v1.tar.gz in {tmp_path / 'data' / 'imdb'}" in message
    assert "dataset.path" in message
    assert "refused" in message


@pytest.mark.parametrize(
    ("reviews", "message"),
    [
        ({"README": "x"}, "no labelled reviews"),
        ({"test/pos/0_9.txt": "x"}, "no labelled reviews"),
        ({"train/pos/0_9.txt": b"a\xff"}, r"aclImdb/train/pos/0_9\.txt is not UTF-8 text \(byte 1"),
        ({"train/pos/0_11.txt": "x"}, r"rating 1 to 10, got aclImdb/train/pos/0_11\.txt"),
        ({"train/pos/0_9.txt": "x", "train/pos/0_8.txt": "y"}, "two reviews have the number 0"),
    ],
)
def test_faulty_archives_are_named(tmp_path: Path, reviews: dict[str, str | bytes], message: str) -> None:
    path = make_archive(tmp_path / "some.tar.gz", reviews)
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_truncated_archive_is_refused_and_not_cached(tmp_path: Path) -> None:
    path = make_archive(tmp_path / "some.tar.gz", {f"train/pos/{n}_9.txt": os.urandom(900).hex() for n in range(9)})
    path.write_bytes(path.read_bytes()[:-500])
    for _ in range(2):
        with pytest.raises(DataError, match="cut short"):
            load(path)


@pytest.mark.parametrize("make", [False, True])
def test_a_path_without_data_is_a_data_error(tmp_path: Path, make: bool) -> None:
    path = tmp_path / "nowhere"
    if make:
        path.mkdir()
    with pytest.raises(DataError, match=r"dataset\.path.*nowhere"):
        load(path)


def test_the_real_archive() -> None:
    folder = os.environ.get("DLTRAIN_TEST_DATA")
    if not folder:
        pytest.skip("DLTRAIN_TEST_DATA is not set")
    path = Path(folder) / "imdb" / "aclImdb_labeled_50k.tar.gz"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    dataset = load(path)
    ratings = load(path, "rating")
    assert dataset.test_rows is not None
    assert (len(dataset), dataset.test_rows.sum()) == (50_000, 25_000)
    positive = dataset.target["sentiment"] == "positive"
    assert positive[dataset.test_rows].sum() == positive[~dataset.test_rows].sum() == 12_500
    assert set(ratings.target["rating"][positive]) == {7.0, 8.0, 9.0, 10.0}
    assert set(ratings.target["rating"][~positive]) == {1.0, 2.0, 3.0, 4.0}
    assert any("<br />" in review for review in dataset.columns["review"])
    assert [note[:38] for note in dataset.notes] == ["Skipped 7 files that are not reviews: "]
