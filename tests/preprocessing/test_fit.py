from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import DataError
from dltrain.preprocessing import imputation, scaling
from dltrain.preprocessing.fit import Preprocessing, fit, raw_inputs

TEXT = {
    "output": "sequence",
    "standardize": "lower_and_strip_punctuation",
    "split": "whitespace",
    "vocabulary_size": 50,
    "sequence_length": 4,
    "ngrams": 1,
}


def fitted(train: Any, *, encoding: Any = None, text: Any = None, scale: Any = scaling.none, **imputed: Any) -> Any:
    return fit(
        train,
        imputation=lambda values: imputation.median(values, **{"indicators": True, **imputed}),
        scaling=scale,
        encoding=OmegaConf.create({"name": "one_hot", "minimum_count": 1, **(encoding or {})}),
        text=OmegaConf.create({**TEXT, **(text or {})}),
    )


def strings(*words: str) -> np.ndarray:
    return np.array(words, dtype=object)


def table(preprocessing: Preprocessing, dataset: Any) -> dict[str, list[float]]:
    values = preprocessing.transform(dataset)["table"]
    assert values.dtype == np.float32
    return {name: values[:, place].tolist() for place, name in enumerate(preprocessing.feature_names)}


def test_numbers_are_filled_and_gaps_indicated(make_dataset: Any) -> None:
    train = make_dataset({"age": [1.0, np.nan, 3.0, 8.0], "fare": [5.0, 6.0, 7.0, 8.0]})
    new = make_dataset({"age": [np.nan, 4.0], "fare": [np.nan, 9.0]})
    preprocessing = fitted(train)
    assert table(preprocessing, train) == {
        "age": [1, 3, 3, 8],
        "fare": [5, 6, 7, 8],
        "age (missing)": [0, 1, 0, 0],
    }
    assert table(preprocessing, new) == {"age": [3, 4], "fare": [6.5, 9], "age (missing)": [1, 0]}
    assert fitted(train, indicators=False).feature_names == ("age", "fare")


def test_scaling_sees_the_filled_columns(make_dataset: Any) -> None:
    train = make_dataset({"age": [0.0, np.nan, 2.0, 8.0]})
    assert table(fitted(train, scale=scaling.minmax), train)["age"] == [0, 0.25, 0.25, 1]


def test_categories_become_columns(make_dataset: Any) -> None:
    train = make_dataset({"port": strings("S", "C", "", "S")})
    new = make_dataset({"port": strings("", "Q", "C")})
    preprocessing = fitted(train)
    assert table(preprocessing, new) == {
        "port=(missing)": [1, 0, 0],
        "port=(unknown)": [0, 1, 0],
        "port=C": [0, 0, 1],
        "port=S": [0, 0, 0],
    }
    assert table(preprocessing, train)["port=S"] == [1, 0, 0, 1]


def test_rare_categories_count_as_unknown(make_dataset: Any) -> None:
    train = make_dataset({"port": strings("S", "C", "S", "")})
    preprocessing = fitted(train, encoding={"minimum_count": 2})
    assert table(preprocessing, train) == {
        "port=(missing)": [0, 0, 0, 1],
        "port=(unknown)": [0, 1, 0, 0],
        "port=S": [1, 0, 1, 0],
    }


def test_categories_to_embed_become_ids(make_dataset: Any) -> None:
    train = make_dataset({"port": strings("S", "C", "S"), "deck": strings("A", "", "B")})
    preprocessing = fitted(train, encoding={"name": "embedding"})
    found = preprocessing.transform(make_dataset({"port": strings("C", "Q"), "deck": strings("", "B")}))
    assert set(found) == {"categories"}
    np.testing.assert_array_equal(found["categories"], [[2, 0], [1, 3]])
    assert preprocessing.categories == {"port": 4, "deck": 4}


@pytest.mark.parametrize("name", ["one_hot", "embedding"])
def test_column_of_missing_cells_alone_can_be_fitted(make_dataset: Any, name: str) -> None:
    train = make_dataset({"port": strings("", "", "")})
    preprocessing = fitted(train, encoding={"name": name})
    for values in preprocessing.transform(make_dataset({"port": strings("", "Q")})).values():
        assert np.isfinite(values).all()


@pytest.mark.parametrize("word", ["[UNK]", 'it\'s, "quoted"', "zwölf €", "a\nb", "  ", "[unknown to the train rows]"])
def test_any_word_is_a_category(make_dataset: Any, word: str) -> None:
    train = make_dataset({"word": strings("a", word, "b")})
    preprocessing = fitted(train)
    values = preprocessing.transform(train)["table"]
    assert (values.sum(axis=1) == 1).all()
    assert len({tuple(row) for row in values}) == 3


def test_texts_become_sequences_of_the_most_frequent_words(make_dataset: Any) -> None:
    train = make_dataset({"text": strings("b a. B!", "b a", "c")}, kinds={"text": "text"})
    new = make_dataset({"text": strings("A b zzz", "", "c c c c c")}, kinds={"text": "text"})
    preprocessing = fitted(train)
    found = preprocessing.transform(new)["text"]
    np.testing.assert_array_equal(found, [[3, 2, 1, 0], [0, 0, 0, 0], [4, 4, 4, 4]])
    assert preprocessing.vocabulary_size == 5
    assert fitted(train, text={"vocabulary_size": 3}).vocabulary_size == 3
    assert fitted(train, text={"ngrams": 2}).vocabulary_size > 5


def test_texts_without_a_word_can_be_fitted(make_dataset: Any) -> None:
    train = make_dataset({"text": strings("", "!", "")}, kinds={"text": "text"})
    assert (fitted(train).transform(train)["text"] <= 1).all()


def test_images_are_scaled_floats(make_dataset: Any) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 2, 1)).astype(np.uint8)
    images.flat[:2] = 0, 255
    found = fitted(make_dataset({"image": images}), scale=scaling.minmax).transform(make_dataset({"image": images}))
    np.testing.assert_allclose(found["image"], images / np.float32(255), rtol=1e-6)
    assert found["image"].dtype == np.float32


def test_two_columns_of_images_are_refused(make_dataset: Any) -> None:
    image = np.zeros((2, 2, 2, 1), np.uint8)
    with pytest.raises(DataError, match="Expected one column of images, found 2: left, right"):
        fitted(make_dataset({"left": image, "right": image}))


def test_columns_keep_their_seven_digits_and_more(make_dataset: Any) -> None:
    seconds = 1.7e9 + np.arange(4.0)
    train = make_dataset({"seconds": seconds})
    np.testing.assert_allclose(table(fitted(train, scale=scaling.minmax), train)["seconds"], [0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("engine", [scaling.none, scaling.standard])
def test_value_that_overflows_names_its_column_and_row(make_dataset: Any, engine: Any) -> None:
    train = make_dataset({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0]})
    bad = make_dataset({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 1e300]}, row_ids=np.array(["x", "y", "z"]))
    with pytest.raises(DataError, match=r"Column 'b' is inf after preprocessing in row z: its values are too large"):
        fitted(train, scale=engine).transform(bad)


def test_infinite_cell_is_refused_with_its_place(make_dataset: Any) -> None:
    train = make_dataset({"a": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match=r"Column 'a' is inf .* row 1"):
        fitted(train).transform(make_dataset({"a": [1.0, np.inf]}))


def test_bytes_per_row_counts_all_features(make_dataset: Any) -> None:
    columns = {"age": [1.0, np.nan], "port": strings("S", "C"), "text": strings("a b", "c")}
    train = make_dataset(columns, kinds={"text": "text"})
    preprocessing = fitted(train)
    sizes = [values[0].nbytes for values in preprocessing.transform(train).values()]
    assert preprocessing.bytes_per_row == sum(sizes) == 4 * (2 + 4 + 4)


def test_raw_inputs_have_an_axis_for_the_cells(make_dataset: Any) -> None:
    dataset = make_dataset({"age": [1.0, 2.0], "image": np.zeros((2, 3, 4, 1), np.uint8)})
    assert {name: cells.shape for name, cells in raw_inputs(dataset).items()} == {
        "age": (2, 1),
        "image": (2, 3, 4, 1),
    }


def test_model_is_a_keras_model_of_raw_columns(make_dataset: Any) -> None:
    train = make_dataset({"age": [1.0, 2.0], "port": strings("S", "C")})
    model = fitted(train).model
    assert isinstance(model, keras.Model)
    assert {name: tensor.dtype for name, tensor in model.input.items()} == {"age": "float64", "port": "string"}


def test_category_of_many_words_gets_a_vector_beside_one_hot_columns(make_dataset: Any) -> None:
    cells = strings(*(f"w{place}" for place in range(5)))
    train = make_dataset({"many": cells, "few": strings("a", "b", "a", "b", "a")})
    found = fitted(train, encoding={"embedding_above": 3})
    assert dict(found.categories) == {"many": 7}
    assert found.feature_names == ("few=(missing)", "few=(unknown)", "few=a", "few=b")
    assert fitted(train).categories == {}
