import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn

from dltrain.base.errors import DataError
from dltrain.data import titanic
from dltrain.data.dataset import Dataset
from dltrain.data.read_table import read_table

KAGGLE = """PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked
11,0,3,"Braund, Mr. Owen Harris",male,22,1,0,A/5 21171,7.25,,S
12,1,1,"Rothes, the Countess. of (Lucy)",female,33,0,2,110152,86.5,B77 B9,
13,1,2,"Heikkinen, Mlle. Laina",female,,0,0,2,7.925,,Q
"""


def read(path: Path | None = None, *, target: str = "survived", engineered: bool = False) -> Dataset:
    return titanic.load(name="titanic", path=None if path is None else str(path), target=target, engineered=engineered)


def shipped() -> pd.DataFrame:
    """The table that scikit-learn ships, as it stands in the file."""
    (path,) = (Path(sklearn.__file__).parent / titanic.EMBEDDED).glob("*.arff.gz")
    return pd.DataFrame({name: cells.to_pandas() for name, cells in read_table(str(path)).columns.items()})


def kaggle(folder: Path, text: str = KAGGLE) -> Path:
    path = folder / "train.csv"
    path.write_text(text)
    return path


def test_openml_has_every_passenger_and_no_leak() -> None:
    data = read()
    assert len(data) == 1309
    assert data.task == "binary"
    assert list(data.columns) == ["pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"]
    assert data.target["survived"].sum() == 500
    assert set(data.columns["pclass"]) == {"1", "2", "3"}
    assert int(np.isnan(data.columns["age"]).sum()) == 263
    assert int((data.columns["embarked"] == "").sum()) == 2
    assert any("boat (the lifeboat" in note for note in data.notes)
    assert data.source == "1,309 passengers of OpenML 'titanic' version 1 (scikit-learn's embedded copy)"


def test_engineered_columns(tmp_path: Path) -> None:
    data = read(kaggle(tmp_path), engineered=True)
    assert list(data.columns["title"]) == ["Mr", "rare", "Miss"]
    assert list(data.columns["family_size"]) == [2.0, 3.0, 1.0]
    assert list(data.columns["deck"]) == ["", "B", ""]
    assert set(read(engineered=True).columns["title"]) == {"Mr", "Mrs", "Miss", "Master", "rare"}


def test_kaggle_layout(tmp_path: Path) -> None:
    data = read(kaggle(tmp_path))
    assert list(data.row_ids) == [11, 12, 13]
    assert list(data.target["survived"]) == [0.0, 1.0, 1.0]
    assert data.target["survived"].dtype == np.float64
    assert list(data.columns["pclass"]) == ["3", "1", "2"]
    assert list(data.columns["embarked"]) == ["S", "", "Q"]


def test_openml_layout_as_csv_is_the_same_data(tmp_path: Path) -> None:
    table = shipped()
    path = tmp_path / "openml.csv"
    table.to_csv(path, index=False)
    assert read(path, engineered=True).sha256() == read(engineered=True).sha256()


def test_another_target_is_no_feature() -> None:
    data = read(target="fare")
    assert "fare" not in data.columns
    assert data.task is None
    assert data.target["fare"].dtype == np.float64
    with pytest.raises(DataError, match="Did you mean 'survived'"):
        read(target="survive")


def test_kaggle_test_file_is_refused(tmp_path: Path) -> None:
    frame = pd.read_csv(kaggle(tmp_path)).drop(columns="Survived")
    frame.to_csv(tmp_path / "test.csv", index=False)
    with pytest.raises(DataError, match="no column 'Survived': it looks like Kaggle's test"):
        read(tmp_path / "test.csv")


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a table of Titanic passengers.*dataset=csv"):
        read(kaggle(tmp_path, "a,b\n1,2\n"))


def test_offline_without_the_embedded_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(titanic, "EMBEDDED", Path("nowhere"))
    monkeypatch.setattr(titanic, "fetch_openml", offline)
    with pytest.raises(DataError, match=r"no route to host.*dataset.path=train.csv"):
        read()


def test_downloaded_frame_is_the_same_data(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read().sha256()
    frame = shipped().astype({"survived": "category", "sex": "category", "embarked": "category"})

    class Bunch:
        def __init__(self) -> None:
            self.frame = frame

    monkeypatch.setattr(titanic, "EMBEDDED", Path("nowhere"))
    monkeypatch.setattr(titanic, "fetch_openml", lambda *_, **__: Bunch())
    assert read().sha256() == expected


def test_kaggle_file() -> None:
    folder = os.environ.get("DLTRAIN_TEST_DATA")
    if folder is None:
        pytest.skip("DLTRAIN_TEST_DATA names no folder of real files")
    path = Path(folder, "titanic", "kaggle_train.csv")
    if not path.exists():
        pytest.skip(f"{path} is missing")
    data = read(path)
    assert (len(data), data.target["survived"].sum(), data.row_ids[0]) == (891, 342.0, 1)
