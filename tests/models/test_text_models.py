"""Networks on text: what they read and what they leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from dltrain.base.errors import ConfigError
from dltrain.models.fitted_ngrams import PENALTIES, shares_by_penalty
from dltrain.models.parts import mean_of_words
from dltrain.preprocessing.log_count_ratios import inverse_document_frequencies

ROWS = 120
SIZES = {
    "text_linear": ("model.dropout=0.0", "text=ngrams"),
    "mixed": ("model.dropout=0.0", "model.units=[8]", "text=ngrams"),
    "text_bag": ("model.dropout=0.0", "model.dimension=4"),
    "text_cnn": ("model.dropout=0.0", "model.filters=4"),
    "text_rnn": ("model.dropout=0.0", "model.recurrent_units=4"),
    "text_transformer": ("model.dropout=0.0", "model.dimension=8"),
    "mlp": ("model.dropout=0.0", "model.units=[8]", "text=ngrams"),
    "linear": (),
    "tabular": ("model.dropout=0.0", "model.units=[8]", "model.ensemble=1"),
}


@pytest.fixture
def mixed(make_dataset: Any) -> Any:
    """A target of a word, a category and a number; some texts are empty."""
    generator = np.random.default_rng(0)
    words = generator.choice(["good film", "bad film", ""], ROWS)
    port, number = generator.choice(["S", "C"], ROWS), generator.standard_normal(ROWS)
    target = np.char.startswith(words, "good") - 1.0 * np.char.startswith(words, "bad") + (port == "S") + number
    columns = {"words": words.astype(object), "port": port.astype(object), "number": number}
    return make_dataset(columns, target=target, kinds={"words": "text"}, task="regression")


@pytest.mark.parametrize("model", SIZES)
def test_mixed_table_goes_through_one_model(
    stage_of: Any, train_stage: Any, tmp_path: Path, mixed: Any, model: str
) -> None:
    stage = stage_of(
        f"model={model}", *SIZES[model], "text.sequence_length=8", "callbacks=learning_rate", "trainer.epochs=25",
        "trainer.batch_size=8", "optimizer.learning_rate=0.03", dataset=mixed,
    )  # fmt: skip
    assert set(stage.network.input) == {"text", "table"}
    history = train_stage(stage, tmp_path).history
    # A model that left out one of the three columns would keep a third of the variance.
    assert history[-1]["val_loss"] < 0.2
    assert np.isfinite(list(history[0].values())).all()


def test_the_mean_leaves_padding_out_and_is_0_without_words() -> None:
    vectors = np.array([[[1.0, 2.0], [3.0, 6.0], [50.0, 50.0]], [[1.0, 1.0]] * 3], np.float32)
    found = np.asarray(mean_of_words(vectors, np.array([[5, 1, 0], [0, 0, 0]])))
    np.testing.assert_array_equal(found, [[2, 4], [0, 0]])


def test_naive_bayes_ratios_are_fixed_and_of_the_train_rows(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    stage = stage_of("dataset.kind=text", "model=text_linear", "text=ngrams", "callbacks=learning_rate")
    layer = stage.network.get_layer("log_count_ratios")
    before = np.array(layer.embeddings)
    assert before.any()
    assert not layer.trainable_weights
    train_stage(stage, tmp_path)
    np.testing.assert_array_equal(before, layer.embeddings)
    assert np.array(stage.network.get_layer("weights").embeddings).any()


@pytest.mark.parametrize(("normalize", "equal"), [("true", True), ("false", False), ("auto", True)])
def test_texts_of_a_quantity_weigh_the_same_however_long(
    stage_of: Any, make_dataset: Any, normalize: str, equal: bool
) -> None:
    # Each text has its words once: four different ones weigh as much as one.
    texts = np.array(["a", "b c d e"] * 30, object)
    data = make_dataset({"words": texts}, target=np.arange(60.0), kinds={"words": "text"}, task="regression")
    words = ("model=text_linear", "text=ngrams", "text.ngrams=1", "model.naive_bayes=false")
    stage = stage_of(*words, f"model.normalize={normalize}", dataset=data)
    layer = stage.network.get_layer("weights")
    layer.set_weights([np.ones(layer.embeddings.shape)])
    found = np.asarray(stage.network({"text": np.array([[2, 0, 0, 0] + [0] * 1196, [2, 3, 4, 5] + [0] * 1196])}))
    one, four = (found[:, 0] - stage.data.target.offset) / stage.data.target.scale
    assert four / one == pytest.approx(2.0 if equal else 4.0, rel=1e-5)


def test_of_rare_ngrams_each_text_has_the_same_length(stage_of: Any, make_dataset: Any) -> None:
    texts = np.array(["a", "b c d e", "b c"] * 20, object)
    data = make_dataset({"words": texts}, target=np.arange(60.0), kinds={"words": "text"}, task="regression")
    words = ("model=text_linear", "text=ngrams", "text.ngrams=1", "model.naive_bayes=false", "model.rarity=true")
    stage = stage_of(*words, dataset=data)
    layer = stage.network.get_layer("weights")
    # A weight as large as the factor of its n-gram gives the squared length over the length.
    layer.set_weights([np.array(stage.network.get_layer("rarity").embeddings)])
    found = np.asarray(stage.network({"text": stage.data.features("train")["text"]}))[:, 0]
    scores = (found - stage.data.target.offset) / stage.data.target.scale
    rare = np.array(layer.embeddings)[stage.data.features("train")["text"], 0]
    np.testing.assert_allclose(scores, np.sqrt(2 * np.square(rare).sum(axis=1)), rtol=1e-5)


@pytest.mark.parametrize("problem", ["binary", "multiclass"])
def test_a_fitted_start_is_the_mean_of_regressions_of_the_train_rows(stage_of: Any, problem: str) -> None:
    words = ("model=text_linear", "text=ngrams", "model.fitted_start=true", "model.rarity=true")
    stage = stage_of(*words, "dataset.kind=text", f"dataset.problem={problem}", "model.naive_bayes=false")
    parts = {part: stage.data.features(part)["text"] for part in ("train", "validation")}
    truth = stage.data.truth("train").values
    rare = inverse_document_frequencies(parts["train"], stage.data.preprocessing.vocabulary_size)
    dense = {part: np.zeros((len(ids), len(rare))) for part, ids in parts.items()}
    for part, ids in parts.items():
        np.put_along_axis(dense[part], ids, rare[ids], axis=1)
        dense[part] /= np.maximum(np.linalg.norm(dense[part], axis=1, keepdims=True), 1e-9)
    found = np.asarray(stage.network({"text": parts["validation"]}), np.float64)
    expected = []
    for penalty in PENALTIES:
        model = LogisticRegression(C=1 / penalty, max_iter=300).fit(dense["train"], truth)
        scores = model.decision_function(dense["validation"])
        expected.append(scores if scores.ndim > 1 else scores[:, None])
    if problem == "binary":
        found = np.log(found / (1 - found))
    else:
        found = np.log(found)
        found -= found.mean(axis=1, keepdims=True)
    # The shares of the regressions, by least squares, are not negative and make what the network predicts.
    columns = np.array([each.ravel() for each in expected]).T
    spread = float(np.ptp(columns, axis=0).max())
    shares, _ = nnls(columns, found.ravel())
    np.testing.assert_allclose(columns @ shares, found.ravel(), atol=0.02 * spread)
    assert np.ptp(found[:, 0]) > 0


def test_regressions_that_folds_cannot_tell_apart_share_the_start() -> None:
    dice = np.random.default_rng(0)
    texts = csr_matrix(dice.random((60, 5)))
    truth = dice.integers(0, 2, 60)  # which no word tells
    unknown = shares_by_penalty(texts, truth, lambda *_: np.ones(5), (0.0,))
    assert len(unknown) > 1
    assert sum(unknown.values()) == pytest.approx(1)
    told = shares_by_penalty(csr_matrix(0.3 * truth[:, None] * np.ones(5)), truth, lambda *_: np.ones(5), (0.0,))
    assert max(PENALTIES) not in [penalty for penalty, _ in told]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model=text_cnn", "text=ngrams"), "reads words in their order, and a set has none"),
        (("model=text_rnn", "text.ngrams=2"), "in which there are no n-grams"),
        (("model=text_linear", "text=tf_idf"), "reads n-gram numbers, not tf_idf"),
        (("model=linear", "text=count", "text.sequence_length=3"), "which reads whole texts"),
        (("model=text_bag", "model.smoothing=2"), "without model.naive_bayes=true"),
        (("model=text_linear", "text=ngrams", "model.normalize=half"), "expected true, false or auto, got 'half'"),
        (("model=text_rnn", "model.cell=elman"), "expected lstm or gru, got 'elman'"),
        (("model=text_transformer", "model.heads=3"), "3 does not divide model.dimension=64"),
    ],
)
def test_what_would_have_no_effect_is_refused(compose_config: Any, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compose_config("dataset.kind=text", *words)


@pytest.mark.parametrize("model", [name for name in SIZES if name.startswith("text_")])
def test_data_without_text_is_refused(stage_of: Any, model: str) -> None:
    with pytest.raises(ConfigError, match="needs a column of text, and this dataset has none"):
        stage_of(f"model={model}")
