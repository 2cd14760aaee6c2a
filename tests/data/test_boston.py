import os
from pathlib import Path

import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import boston
from dltrain.data.dataset import Dataset


def read(path: Path | None = None, source: str = "mlxtend") -> Dataset:
    return boston.load(name="boston", source=source, path=None if path is None else str(path))


def real(name: str) -> Path:
    folder = os.environ.get("DLTRAIN_TEST_DATA")
    if folder is None:
        pytest.skip("DLTRAIN_TEST_DATA names no folder of real files")
    path = Path(folder, "boston", name)
    if not path.exists():
        pytest.skip(f"{path} is missing")
    return path


def rows(data: Dataset) -> list[tuple[float, ...]]:
    return sorted(map(tuple, np.column_stack([*data.columns.values(), data.target["MEDV"]]).tolist()))


def test_mlxtend() -> None:
    data = read()
    assert (len(data), data.task) == (506, "regression")
    assert data.target["MEDV"].mean() == pytest.approx(22.53, abs=0.005)
    assert data.columns["RM"][0] == 6.575
    assert set(data.columns["CHAS"]) == {0.0, 1.0}
    assert "16 rows" in data.notes[0]


@pytest.mark.parametrize("name", ["housing.data", "boston_housing.npz"])
def test_files_hold_the_same_rows(name: str) -> None:
    np.testing.assert_allclose(rows(read(real(name))), rows(read()), atol=1e-9)


def test_keras_source_joins_both_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.datasets import boston_housing

    part = (np.ones((2, 13)), np.array([5.0, 6.0]))
    monkeypatch.setattr(boston_housing, "load_data", lambda: (part, part))
    assert list(read(source="keras").target["MEDV"]) == [5.0, 6.0, 5.0, 6.0]


def test_keras_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.datasets import boston_housing

    def offline() -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(boston_housing, "load_data", offline)
    with pytest.raises(DataError, match=r"no route to host.*dataset.source=mlxtend"):
        read(source="keras")


def test_faults(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'keras'"):
        read(source="kera")
    path = tmp_path / "t.data"
    path.write_text("1 2 3\n4 5 6\n")
    with pytest.raises(ConfigError, match=r"no effect beside dataset\.path"):
        read(path, source="keras")
    with pytest.raises(DataError, match=r"expected 14 numbers a line.*got 3"):
        read(path)
    np.savez(tmp_path / "bad.npz", x=np.ones((2, 3)), y=np.ones(2))
    with pytest.raises(DataError, match=r"expected x of shape \(rows, 13\)"):
        read(tmp_path / "bad.npz")
    np.savez(tmp_path / "pickle.npz", x=np.array([{}], dtype=object), y=np.ones(1))
    with pytest.raises(DataError, match=r"pickle\.npz is not a boston_housing"):
        read(tmp_path / "pickle.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "bad.npz").read_bytes()[:100])
    with pytest.raises(DataError, match=r"cut\.npz is not a boston_housing"):
        read(tmp_path / "cut.npz")
