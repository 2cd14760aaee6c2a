"""Texts as n-gram numbers and weights, and what is kept of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.config.compose import conf_directory
from dltrain.data.storage import cached_table
from dltrain.data.targets import encode
from dltrain.preprocessing import text as texts_module
from dltrain.preprocessing.fit import fit
from dltrain.scoring.baselines import baselines


@pytest.fixture
def features_of(make_dataset: Any) -> Any:
    def features(option: str, train: list[str], new: list[str], **changed: Any) -> Any:
        options = OmegaConf.merge(OmegaConf.load(conf_directory() / "text" / f"{option}.yaml"), changed)
        given = [make_dataset({"text": np.array(part, object)}, kinds={"text": "text"}) for part in (train, new)]
        fitted = fit(given[0], imputation=Any, scaling=Any, encoding=OmegaConf.create({}), text=options)  # type: ignore[arg-type]
        return fitted, fitted.transform(given[1])

    return features


def test_a_set_holds_each_known_ngram_once(features_of: Any) -> None:
    fitted, found = features_of("ngrams", ["a b. a b", "b a"], ["A b a b zzz", ""], sequence_length=12)
    words = fitted.model.layers[1].get_vocabulary()
    (row, empty) = found["text"]
    assert sorted(words[number] for number in row[row > 0]) == ["a", "a b", "b", "b a"]
    assert not empty.any()
    assert fitted.vocabulary_size == len(words) == 6


def test_characters_are_joined(features_of: Any) -> None:
    fitted, found = features_of("characters", ["ab", "b c"], ["ba"], ngrams=2, sequence_length=5)
    words = fitted.model.layers[1].get_vocabulary()
    assert {"a b", "b", "b  ", "  c"} <= set(words)
    assert sorted(words[number] for number in found["text"][0] if number) == ["a", "b"]


def test_weights_join_the_table(features_of: Any) -> None:
    train, new = ["a b", "a", "a a c"], ["a a b zzz", ""]
    for option, expected in (("multi_hot", 1), ("count", 2), ("tf_idf", 2 * np.log(1 + 3 / (1 + 3)))):
        fitted, found = features_of(option, train, new)
        assert set(found) == {"table"}
        values = dict(zip(fitted.feature_names, found["table"].T, strict=True))
        assert set(values) == {"text: [UNK]", "text: a", "text: b", "text: c"}
        np.testing.assert_allclose(values["text: a"], [expected, 0], rtol=1e-6)
        assert values["text: c"].tolist() == [0, 0]


def test_no_word_at_all_gives_a_weight_that_is_a_number(features_of: Any) -> None:
    _, found = features_of("tf_idf", ["", "!"], ["", "a"])
    assert np.isfinite(found["table"]).all()


def test_a_long_text_does_not_make_all_others_as_long(features_of: Any, make_dataset: Any) -> None:
    texts = ["a b"] * 2_000 + ["a " * 100_000]
    tracemalloc.start()
    try:
        fitted, found = features_of("ngrams", texts, texts[-1:], ngrams=1, sequence_length=4)
        data = make_dataset(
            {"text": np.array(texts, object)}, target=np.arange(2_001.0) % 2, kinds={"text": "text"}, task="binary"
        )
        features = {"text": fitted.transform(data)["text"]}
        baselines(data, features, encode(data, "binary"), {"test": (data, features)})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found["text"].any()
    assert peak < 100e6  # as one array of strings they would take 1.6 GB


def must_not_be_called() -> None:
    raise AssertionError("it is kept and need not be made")


def test_numbers_are_kept_by_texts_and_settings(
    features_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(texts_module, "FEWEST_TEXTS_CACHED", 2)
    train, new = ["a b", "c a"], ["a c", "b", "a"]
    _, first = features_of("ngrams", train, new)
    kept = {path.name for path in (tmp_path / "parsed").iterdir()}
    assert len(kept) == 2
    monkeypatch.setattr(texts_module, "cached_table", lambda name, make: cached_table(name, must_not_be_called))
    _, again = features_of("ngrams", train, new)
    np.testing.assert_array_equal(first["text"], again["text"])
    assert {path.name for path in (tmp_path / "parsed").iterdir()} == kept
    monkeypatch.undo()
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(texts_module, "FEWEST_TEXTS_CACHED", 2)
    for other in ({"sequence_length": 7}, {"ngrams": 1}):
        _, found = features_of("ngrams", train, new, **other)
        assert found["text"].shape[1] == other.get("sequence_length", 1200)
    assert len(list((tmp_path / "parsed").iterdir())) == 6
