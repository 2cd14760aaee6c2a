"""Transfer with EfficientNet: a head on fixed features, computed once, then the top of the backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.data.storage import cached_table
from dltrain.models import efficientnet as module
from dltrain.training import features
from dltrain.training.features import features_of

WORDS = (
    "dataset.kind=image", "dataset.image_size=32", "dataset.rows=20", "model=efficientnet", "trainer.epochs=2",
    "dataset.problem=regression",
)  # fmt: skip


@pytest.fixture
def weights(small_backbone: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(keras.applications, "EfficientNetB0", small_backbone)
    keras.utils.set_random_seed(1)
    path = tmp_path / "own.weights.h5"
    small_backbone(include_top=False, weights=None, input_shape=(32, 32, 3), name="backbone").save_weights(path)
    return path


def values(network: keras.Model) -> dict[str, Any]:
    return {f"{weight.path}": np.array(weight) for weight in network.get_layer("backbone").weights}


def test_the_head_alone_is_trained_on_features_computed_once(
    weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    once = features_of
    monkeypatch.setattr(
        "dltrain.training.train.features_of", lambda *words: calls.append(words[1].rows) or once(*words)
    )
    stage = stage_of(*WORDS, f"model.weights={weights}", "model.fine_tune_epochs=0", "model.dropout=0")
    before = values(stage.network)
    assert [weight.path.split("/")[0] for weight in stage.network.trainable_weights] == ["head", "head"]
    training = train_stage(stage, tmp_path)
    assert calls == [12, 4]
    assert len(training.history) == 2
    for name, after in values(stage.network).items():
        np.testing.assert_array_equal(after, before[name])
    # What the head saw is what the whole network gives.
    found = training.engine.evaluate(stage.data.source("validation"))
    best = training.history[training.best_epoch - 1]
    assert found["rmse"] == pytest.approx(best["val_rmse"], rel=1e-4)
    saved = keras.models.load_model(tmp_path / "checkpoints" / "best.keras", compile=False)
    assert saved.get_layer("backbone").count_params() == stage.network.get_layer("backbone").count_params()


def test_then_the_top_is_tuned_and_normalization_stays(
    weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path
) -> None:
    words = (f"model.weights={weights}", "model.fine_tune_epochs=3", "model.fine_tune_layers=3", "model.dropout=0")
    stage = stage_of(*WORDS, *words, "model.fine_tune_learning_rate=0.01", "callbacks=[learning_rate,csv_history]")
    before = values(stage.network)
    training = train_stage(stage, tmp_path)
    changed = {name.rpartition("backbone/")[2] for name, after in values(stage.network).items()
               if not np.array_equal(after, before[name])}  # fmt: skip
    assert changed == {"conv_1/kernel", "conv_1/bias"}
    assert [logs["learning_rate"] for logs in training.history] == pytest.approx([0.001] * 2 + [0.01] * 3)
    assert (tmp_path / "history.csv").read_text().count("\n") == 6


def test_a_worse_tuning_is_not_kept(weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    words = (f"model.weights={weights}", "model.fine_tune_epochs=1", "model.fine_tune_learning_rate=1000.0")
    stage = stage_of(*WORDS, *words)
    before = values(stage.network)
    training = train_stage(stage, tmp_path)
    assert training.best_epoch <= 2
    assert len(training.history) == 3
    for name, after in values(stage.network).items():
        np.testing.assert_array_equal(after, before[name])


def test_with_augmentation_the_images_pass_the_backbone(
    weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltrain.training.train.features_of", None)
    words = (f"model.weights={weights}", "model.fine_tune_epochs=1", "augmentation=mirroring")
    training = train_stage(stage_of(*WORDS, *words, "callbacks=learning_rate"), tmp_path)
    assert len(training.history) == 3


def test_without_weights_everything_is_trained(weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path) -> None:
    del weights
    stage = stage_of(*WORDS, "model.weights=none", "callbacks=learning_rate", "trainer.epochs=1")
    assert len(stage.network.trainable_weights) == 10
    assert len(train_stage(stage, tmp_path).history) == 1


def test_weights_that_are_not_there_or_do_not_fit(
    stage_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Path, compose_config: Any
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(module, "URL", (tmp_path / "absent").as_uri() + "/")
    with pytest.raises(DataError, match=r"Put efficientnetb0_notop.h5 into .*efficientnet, set model.weights to where"):
        stage_of(*WORDS)
    with pytest.raises(ConfigError, match=r"model.weights=x.h5: expected imagenet, none, or a file; there is no /"):
        stage_of(*WORDS, "model.weights=x.h5")
    (tmp_path / "x.h5").write_bytes(b"no weights")
    with pytest.raises(ConfigError, match="not the weights of EfficientNetB0 without its top"):
        stage_of(*WORDS, f"model.weights={tmp_path / 'x.h5'}")
    stage_of("model=linear").network.save(tmp_path / "other.keras")
    with pytest.raises(ConfigError, match="not the weights of EfficientNetB0 without its top"):
        stage_of(*WORDS, f"model.weights={tmp_path / 'other.keras'}")
    with pytest.raises(ConfigError, match="model=efficientnet needs images"):
        stage_of("model=efficientnet")
    with pytest.raises(ConfigError) as error:
        compose_config(*WORDS, "model.variant=B8", "scaling=minmax", "model.weights=none", "model.fine_tune_layers=2")
    assert [word in str(error.value) for word in ("expected one of B0", "Use scaling=none", "fine_tune_layers has no")]


def test_small_images_are_enlarged(stage_of: Any, weights: Path) -> None:
    words = (f"model.weights={weights}", "dataset.image_size=8")
    network = stage_of(*WORDS, *words).network
    assert network.get_layer("enlarged").output.shape[1:3] == (32, 32)
    assert np.isfinite(network.predict({"image": np.zeros((2, 8, 8, 1))}, verbose=0)).all()


@pytest.mark.parametrize("first", ["none", "file"])
def test_weights_of_another_run(weights: Path, stage_of: Any, run_in: Any, tmp_path: Path, first: str) -> None:
    words = ("model.fine_tune_epochs=0", "trainer.epochs=1")
    given = "none" if first == "none" else str(weights)
    run = run_in(tmp_path / "run", *WORDS[:-1], f"model.weights={given}", *(words[first == "none" :]))
    before = keras.models.load_model(run.path / "model.keras").get_layer("network")
    network = stage_of(*WORDS, *words, f"model.weights={run.path / 'model.keras'}").network
    assert not network.get_layer("backbone").trainable_weights
    # Its images are to be scaled as they were there.
    names = [{layer.name for layer in each.layers} for each in (before, network)]
    assert ["as_trained" in each for each in names] == [first == "file"] * 2
    for one, other in zip(before.get_layer("backbone").weights, network.get_layer("backbone").weights, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other))


@pytest.mark.slow
def test_weights_from_a_file_give_what_keras_gives(tmp_path: Path, stage_of: Any) -> None:
    keras.utils.clear_session()  # Keras counts the names of layers
    backbone = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=(32, 32, 3))
    # ImageNet's mean and variance, as its file has them.
    layer = backbone.get_layer("normalization")
    layer.set_weights([np.array(module.MEAN), np.array([0.229, 0.224, 0.225]), np.array(1)])
    layer.finalize_state()
    path = tmp_path / "own.weights.h5"
    backbone.save_weights(path)
    network = stage_of(*WORDS, "dataset.channels=3", f"model.weights={path}").network
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    # What Keras puts behind the normalization where it loads ImageNet's weights itself.
    normalized = backbone.get_layer("normalization")(images / 255) / np.array(module.ROOTS)
    seen = keras.Model(network.input, network.get_layer("as_trained").output)({"image": images})
    np.testing.assert_allclose(network.get_layer("backbone").get_layer("normalization")(seen / 255), normalized, 1e-4)


def must_not_be_called() -> None:
    raise AssertionError("it is kept and need not be made")


class TestFeaturesAreKept:
    @pytest.fixture(autouse=True)
    def _in_a_directory_of_its_own(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))

    def trained(self, weights: Path, stage_of: Any, train_stage: Any, path: Path, *words: str) -> Any:
        path.mkdir()
        words = (f"model.weights={weights}", "model.fine_tune_epochs=0", "callbacks=learning_rate", *words)
        return train_stage(stage_of(*WORDS, *words), path).history

    def test_and_give_the_same_numbers_to_the_last_bit(
        self, weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = self.trained(weights, stage_of, train_stage, tmp_path / "1")
        assert len(list((tmp_path / "data" / "parsed").glob("features_1_*.parquet"))) == 2
        monkeypatch.setattr(features, "cached_table", lambda name, make: cached_table(name, must_not_be_called))
        assert self.trained(weights, stage_of, train_stage, tmp_path / "2") == first
        assert self.trained(weights, stage_of, train_stage, tmp_path / "3", "optimizer=sgd") != first

    def test_of_other_images_and_other_weights_are_computed(
        self, weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path, small_backbone: Any
    ) -> None:
        def kept() -> int:
            return len(list((tmp_path / "data" / "parsed").glob("features_1_*.parquet")))

        self.trained(weights, stage_of, train_stage, tmp_path / "1")
        self.trained(weights, stage_of, train_stage, tmp_path / "2", "seed=3")
        assert kept() == 4
        keras.utils.set_random_seed(2)
        other = small_backbone(include_top=False, weights=None, input_shape=(32, 32, 3), name="backbone")
        other.save_weights(weights)
        self.trained(weights, stage_of, train_stage, tmp_path / "3")
        assert kept() == 6

    def test_of_too_many_images_are_not(
        self, weights: Path, stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(features, "MOST_BYTES_KEPT", 10)
        self.trained(weights, stage_of, train_stage, tmp_path / "1")
        assert not (tmp_path / "data" / "parsed").exists()
