from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError, RunError
from dltrain.data.targets import Target
from dltrain.preprocessing import text as texts
from dltrain.preprocessing.prepared import training_weights

TARGET = Target("multiclass", np.array([0, 0, 0, 1, 2, 2], np.int32), ("a", "b", "c"))


def test_test_part_is_sealed_until_it_is_unsealed(stage_of: Any) -> None:
    data = stage_of("model=linear").data
    for read in (data.rows, data.features, data.source, data.raw, data.truth):
        with pytest.raises(RunError, match="The test part is sealed until the final scoring"):
            read("test")
    recorded: list[int] = []
    data.unseal_test(recorded.append)
    assert len(data.rows("test")) == len(data.features("test")["table"]) == data.source("test").rows == 12
    assert len(data.raw("test")) == len(data.truth("test").values) == 12
    assert recorded == [12]
    with pytest.raises(RunError, match="scored already"):
        data.unseal_test(recorded.append)
    assert recorded == [12]


def test_no_way_round_the_parts(stage_of: Any) -> None:
    data = stage_of("model=linear").data
    assert data.dataset.name == "synthetic"
    assert set(data.dataset.columns) == set(data.dataset.kinds)
    assert len(data.dataset) == len(data.target.values) == 0
    assert len(data.target.classes) == 2
    with pytest.raises(RunError, match="given by part alone"):
        data.dataset.take(data.split.test)
    with pytest.raises(IndexError):
        data.target.take(data.split.test)
    assert len(data.raw("train")) == len(data.truth("train").values) == 36


def test_scoring_that_cannot_be_recorded_does_not_happen(stage_of: Any) -> None:
    data = stage_of("model=linear").data

    def full(rows: int) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        data.unseal_test(full)
    with pytest.raises(RunError, match="sealed"):
        data.rows("test")


@pytest.mark.parametrize(
    ("overrides", "resident"),
    [
        ((), True),
        (("trainer.memory_budget=1e-9",), False),
        (("trainer.engine=streaming",), False),
        (("trainer.engine=resident",), True),
    ],
)
def test_engine_goes_by_the_memory_that_the_features_take(
    stage_of: Any, overrides: tuple[str, ...], resident: bool
) -> None:
    assert stage_of("model=linear", *overrides).data.resident is resident


def test_balanced_classes_weigh_the_same_in_all() -> None:
    weights = training_weights("balanced", TARGET)
    assert weights is not None
    np.testing.assert_allclose(weights, [2 / 3] * 3 + [2] + [1] * 2)
    assert weights.dtype == np.float32


def test_weights_by_class_are_those_of_the_rows() -> None:
    weights = training_weights(OmegaConf.create({"b": 3, "c": 0.5}), TARGET)
    np.testing.assert_allclose(weights, [1, 1, 1, 3, 0.5, 0.5])


def test_no_weights_are_no_weights() -> None:
    assert training_weights(None, TARGET) is None


def test_weight_of_no_class_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"task\.class_weight: 'd' is not a class of the target\. Choose"):
        training_weights(OmegaConf.create({"d": 3}), TARGET)


def test_unknown_word_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"task\.class_weight: expected balanced or a weight .*, got 'balance'"):
        training_weights("balance", TARGET)


def test_texts_of_streamed_parts_are_numbered_once(
    stage_of: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(texts, "FEWEST_TEXTS_CACHED", 2)
    words = ("dataset.kind=text", "model=text_linear", "text=ngrams")
    data = stage_of(*words, "trainer.engine=streaming").data
    counted, number = [], texts.numbered
    monkeypatch.setattr(texts, "numbered", lambda *given: counted.append(len(given[2])) or number(*given))
    order = np.array([5, 1, 4, 3])
    for part in ("train", "validation", "train", "validation"):
        blocks = [*data.source(part).blocks(order, 2)]
        found = np.concatenate([block.features["text"] for block in blocks])
        np.testing.assert_array_equal(found, data.preprocessing.transform(data.raw(part))["text"][order])
    rows = len(data.rows("validation"))
    assert counted.count(rows) == 2  # once on disk, once more by `transform` above, which is kept
    assert len([path for path in (tmp_path / "parsed").iterdir() if "_ids_" in path.name]) == 2
