"""Augmentation changes the images of training batches, by seed and step alone, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.config.compose import conf_directory
from dltrain.training.augmentation import Augmentation, MixUp, RandomCrop, build_augmentation

OPTIONS = sorted(path.stem for path in (conf_directory() / "augmentation").glob("*.yaml"))
IMAGES = ("dataset.kind=image", "dataset.channels=3", "model=linear", "callbacks=learning_rate", "dataset.rows=40")


@pytest.fixture(scope="module")
def batch(stage_of: Any) -> tuple[Any, dict[str, Any]]:
    stage = stage_of(*IMAGES)
    return stage.data, {"image": stage.data.features("train")["image"][:7]}


def built(compose_config: Any, data: Any, *words: str, seed: int = 3) -> Any:
    config = compose_config(*IMAGES, *words)
    return build_augmentation(config.augmentation, data, seed)


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_changes_images_by_seed_and_step(option: str, batch: Any, compose_config: Any) -> None:
    data, features = batch
    augmentation = built(compose_config, data, f"augmentation={option}")
    if option == "none":
        assert augmentation is None
        return
    found, weights = augmentation(features, None, 5)
    assert found["image"].shape == features["image"].shape
    assert np.isfinite(np.asarray(found["image"])).all()
    assert not np.allclose(found["image"], features["image"])
    assert (weights is None) == (option != "mixup")
    again = built(compose_config, data, f"augmentation={option}")(features, None, 5)[0]["image"]
    np.testing.assert_array_equal(again, found["image"])
    for other in (
        augmentation(features, None, 6),
        built(compose_config, data, f"augmentation={option}", seed=4)(features, None, 5),
    ):
        assert not np.allclose(other[0]["image"], found["image"])


def test_several_by_name_and_one_less(batch: Any, compose_config: Any) -> None:
    data, _ = batch
    assert list(built(compose_config, data, "augmentation=[cutout,rotation]").changes) == ["cutout", "rotation"]
    without = built(compose_config, data, "augmentation=standard", "augmentation.mirroring=null")
    assert list(without.changes) == ["rotation", "translation"]
    assert built(compose_config, data, "augmentation=mixup", "augmentation.mixup=null") is None


@pytest.mark.parametrize("scaling", ["none", "minmax", "standard"])
def test_colours_change_alike_whatever_the_scaling(stage_of: Any, scaling: str) -> None:
    data = stage_of(*IMAGES, f"scaling={scaling}").data
    low, high = data.preprocessing.pixel_range(data.raw("train"))
    layer = keras.layers.RandomBrightness([0.5, 0.5], value_range=(0, 1))
    raw = np.full((2, 8, 8, 3), [0, 51, 204], np.float32)
    features = {"image": low + raw / 255 * (high - low)}
    found, _ = Augmentation({"brightness": layer}, low, high, 0)(features, None, 0)
    bytes_again = (np.asarray(found["image"]) - low) / (high - low) * 255
    np.testing.assert_allclose(bytes_again[0, 0, 0], [127.5, 178.5, 255], atol=0.01)


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_mixup_blends_pairs_and_shares_the_loss(rows: int) -> None:
    images = np.arange(rows, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 2, 1), np.float32)
    blends, weights = (np.asarray(each) for each in MixUp(alpha=1.0, seed=1)(images))
    np.testing.assert_allclose(blends, blends[::-1], atol=1e-6)
    np.testing.assert_allclose(weights + weights[::-1], 2, atol=1e-6)
    share = weights / 2
    expected = share * np.arange(rows) + (1 - share) * np.arange(rows)[::-1]
    np.testing.assert_allclose(blends[:, 0, 0, 0], expected, atol=1e-6)
    # The gradient of the squared loss against each own target is that against the blended target.
    own, blended = weights * (0.3 - np.arange(rows)), 2 * (0.3 - expected)
    np.testing.assert_allclose(own + own[::-1], blended, atol=1e-5)


def test_crops_are_parts_of_the_image() -> None:
    images = np.arange(64, dtype=np.float32).reshape(1, 8, 8, 1).repeat(50, axis=0)
    found = np.asarray(RandomCrop(smallest=0.5, seed=0)(images))
    assert found.shape == images.shape
    width = found[:, 0, -1, 0] - found[:, 0, 0, 0]
    assert ((width >= 3.4) & (width <= 7.01)).all()
    assert width.std() > 0.3
    assert found.min() >= 0
    assert found.max() <= 63
    np.testing.assert_array_equal(RandomCrop(smallest=0.5)(images, training=False), images)


def test_it_stands_outside_of_the_model_and_trains_alike(stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    words = (*IMAGES, "augmentation=[standard,mixup]", "trainer.epochs=2", "dataset.problem=multiclass")
    histories = []
    for place, more in enumerate(([], [], ["trainer.engine=streaming"], ["augmentation=none"])):
        stage = stage_of(*words, *more)
        assert not any("random" in layer.name for layer in stage.network.layers)
        (tmp_path / str(place)).mkdir()
        histories.append(train_stage(stage, tmp_path / str(place)))
    losses = [[logs["loss"] for logs in training.history] for training in histories]
    assert losses[0] == losses[1] == losses[2]
    assert losses[3] != losses[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("augmentation.rotation.factor=3",), "augmentation.rotation: .*RandomRotation refused its arguments"),
        (("augmentation=cropping", "augmentation.cropping.smallest=0"), "augmentation.cropping: .*expected a share"),
        (("augmentation=mixup", "augmentation.mixup.alpha=0"), "augmentation.mixup: .*expected a number above 0"),
        (
            ("augmentation.rotation._target_=keras.layers.CenterCrop", "+augmentation.rotation.height=2",
             "+augmentation.rotation.width=2", "~augmentation.rotation.factor", "~augmentation.rotation.fill_mode"),
            "makes images of 2 x 2 x 3 out of 8 x 8 x 3; expected the same size",
        ),
    ],
)  # fmt: skip
def test_layers_that_cannot_work_are_refused(
    words: tuple[str, ...], message: str, batch: Any, compose_config: Any
) -> None:
    chosen = words if words[0].startswith("augmentation=") else ("augmentation=rotation", *words)
    with pytest.raises(ConfigError, match=message):
        built(compose_config, batch[0], *chosen)


def test_it_is_for_images(stage_of: Any, train_stage: Any, make_dataset: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="augmentation=rotation has no effect: this dataset has no images"):
        train_stage(stage_of("model=linear", "augmentation=rotation"), tmp_path)
    pixels = np.zeros((30, 4, 4, 1), np.uint8)
    pixels[::2] = 255
    dataset = make_dataset({"photo": pixels, "age": np.arange(30.0)}, np.arange(30.0) ** 2)
    stage = stage_of("model=linear", "augmentation=mixup", "task=regression", dataset=dataset)
    with pytest.raises(ConfigError, match="mix-up blends images alone"):
        train_stage(stage, tmp_path)
    grey = stage_of(*IMAGES, "dataset.channels=1", "augmentation=colour_jitter",
                    "augmentation.colour_jitter.saturation_factor=[0.4,0.6]")  # fmt: skip
    with pytest.raises(ConfigError, match=r"augmentation.colour_jitter: .*cannot change images of 8 x 8 x 1"):
        train_stage(grey, tmp_path)
