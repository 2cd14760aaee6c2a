"""model=auto reads the data once and becomes words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.api.choose_model import settle
from dltrain.base.errors import DataError
from dltrain.config.compose import Composer

COMPOSER = Composer()


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    rows = [f"{place},{place % 7},an advert of {place} words that nobody repeats,{place * 3}" for place in range(40)]
    file = tmp_path / "table.csv"
    file.write_text("\n".join(["size,rooms,advert,price", *rows]) + "\n")
    return ["dataset=csv", f"dataset.path='{file}'", "dataset.target=price"]


def test_the_data_decide_and_are_read_once(words: list[str]) -> None:
    settled = settle(COMPOSER, words)
    assert settled.overrides == ["recipe=mixed", *words]
    assert "40 rows, 2 columns of numbers and texts" in settled.sentence
    assert settled.read is not None
    assert len(settled.read.dataset) == 40
    assert COMPOSER.compose(settled.overrides).model._target_ == "dltrain.models.mixed.mixed"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["model=mlp"], ["model=mlp"]),
        (["model=auto", "seed=1"], ["recipe=mixed", "seed=1"]),
        (["dataset.kinds.advert=ignore"], ["recipe=tabular", "dataset.kinds.advert=ignore"]),
        (["optimizer=sgd"], ["text=ngrams", "model=mixed", "optimizer=sgd"]),
        (["text.ngrams=3"], ["text=ngrams", "recipe=mixed", "text.ngrams=3"]),
        (["model.dimension=4"], ["text=ngrams", "model=text_bag", "model.dimension=4"]),
        (["model=auto,linear"], ["model=mixed,linear"]),
        (["seed=1,2"], ["recipe=mixed", "seed=1,2"]),
        (["experiment=course_mlp"], ["experiment=course_mlp"]),
        (["experiment=smoke"], ["recipe=mixed", "experiment=smoke"]),
    ],
)
def test_what_is_typed_is_kept(words: list[str], more: list[str], expected: list[str]) -> None:
    settled = settle(COMPOSER, [*words, *more])
    assert [word for word in settled.overrides if word not in words] == expected


def test_a_fault_of_the_words_comes_before_the_data(words: list[str]) -> None:
    wrong = [word for word in words if "path" not in word] + ["dataset.path=nowhere.csv"]
    assert settle(COMPOSER, [*wrong, "trainer.epohcs=3"]).read is None
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        settle(COMPOSER, wrong)


def test_shipped_data_keep_their_model() -> None:
    words = ["dataset=titanic", "optimizer=adam"]
    assert settle(COMPOSER, words).overrides == words
