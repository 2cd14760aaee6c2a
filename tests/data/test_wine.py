from dltrain.data import wine


def test_wine() -> None:
    data = wine.load(name="wine")
    assert (len(data), len(data.columns), data.task) == (178, 13, "multiclass")
    assert [int((data.target["cultivar"] == f"class_{k}").sum()) for k in range(3)] == [59, 71, 48]
    assert all(isinstance(label, str) for label in data.target["cultivar"])
    assert "od280_od315_of_diluted_wines" in data.columns
    assert not any("/" in column for column in data.columns)
