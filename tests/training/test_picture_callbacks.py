"""The callbacks that record what a picture of the course shows: batch statistics, dropout masks, augmented images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError

NORMALIZED = ("model.units=[4]", "model.dropout=0", "trainer.epochs=2")


@pytest.mark.slow
def test_loss_by_own_batches_changes_nothing_else(run_in: Any, tmp_path: Path) -> None:
    words = ("callbacks=[default,batch_statistics]", "callbacks.batch_statistics.sizes=[2,4]", "report=true")
    made = run_in(tmp_path / "one", *NORMALIZED, *words)
    rows = made.rows("history.csv")
    names = ("val_loss", "val_loss_by_batches_of_2", "val_loss_by_batches_of_4")
    assert len({rows[-1][name] for name in names}) == 3
    assert (made.path / "plots" / "batch_statistics.svg").exists()
    plain = run_in(tmp_path / "two", *NORMALIZED)
    assert (plain.path / "predictions.csv").read_bytes() == (made.path / "predictions.csv").read_bytes()


@pytest.mark.slow
def test_dropout_masks_are_drawn_beside_the_training(run_in: Any, tmp_path: Path) -> None:
    dropping = ("model.units=[5]", "model.dropout=0.5", "trainer.epochs=1")
    made = run_in(tmp_path / "one", *dropping, "callbacks=[default,dropout_masks]", "report=true")
    kept = np.array(made.json("dropout_masks.json")["kept"])
    assert kept.shape == (40, 5)
    assert 0.3 < kept.mean() < 0.7
    assert len(np.unique(kept, axis=0)) > 5
    assert (made.path / "plots" / "dropout_masks.svg").exists()
    plain = run_in(tmp_path / "two", *dropping)
    assert (plain.path / "predictions.csv").read_bytes() == (made.path / "predictions.csv").read_bytes()


@pytest.mark.slow
def test_augmented_images_begin_with_the_image(run_in: Any, tmp_path: Path) -> None:
    words = ("dataset.kind=image", "model=linear", "augmentation=translation", "trainer.epochs=1", "report=true")
    made = run_in(tmp_path, *words, "callbacks=[default,augmented_images]")
    images = np.load(made.path / "augmented_images.npz")["images"]
    assert images.shape == (4, 8, 8, 8, 1)
    assert images.dtype == np.uint8
    assert all((images[0, 0] != version).any() for version in images[0, 1:])
    assert "<image" in (made.path / "plots" / "augmented_images.svg").read_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("callbacks=[default,batch_statistics]", "model.dropout=0.5"), "dropout would drop"),
        (("callbacks=[default,batch_statistics]", "normalization=none", "model.dropout=0"), "no batch normalization"),
        (
            ("callbacks=[default,batch_statistics]", "callbacks.batch_statistics.sizes=[1]", "model.dropout=0"),
            "numbers from 2 on",
        ),
        (("callbacks=[default,dropout_masks]", "model.dropout=0"), "drops no unit"),
        (("callbacks=[default,augmented_images]",), "no images"),
    ],
)
def test_callback_without_anything_to_record_is_refused(
    run_in: Any, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        run_in(tmp_path, "trainer.epochs=1", "model.units=[4]", *words)
