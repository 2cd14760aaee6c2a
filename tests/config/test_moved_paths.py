from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dltrain.config.compose import Composer
from dltrain.config.fingerprint import fingerprint
from dltrain.config.moved_paths import (
    MOVED,
    TRACKERS,
    current,
    original,
    rename_moved,
    renamed,
    tell_of_name,
    typed_today,
)
from dltrain.config.signatures import signature
from dltrain.config.sources import Unknown

# Every path that conf/ named before the modules moved into packages, at commit 7d259f4.
NAMED_BEFORE = [
    "dltrain.data.boston.load",
    "dltrain.data.cifar10.load",
    "dltrain.data.digits.load",
    "dltrain.data.images.load",
    "dltrain.data.imdb.load",
    "dltrain.data.mnist.load",
    "dltrain.data.split.auto",
    "dltrain.data.split.official",
    "dltrain.data.split.ratio",
    "dltrain.data.synthetic.load",
    "dltrain.data.table.load",
    "dltrain.data.texts.load",
    "dltrain.data.titanic.load",
    "dltrain.data.wine.load",
    "dltrain.distribution.mirrored",
    "dltrain.distribution.multi_worker",
    "dltrain.gaussian.GaussianNegativeLogLikelihood",
    "dltrain.gaussian.LogLikelihood",
    "dltrain.gaussian.MeanAbsoluteErrorOfMean",
    "dltrain.gaussian.RootMeanSquaredErrorOfMean",
    "dltrain.models.cnn.cnn",
    "dltrain.models.efficientnet.efficientnet",
    "dltrain.models.mlp.linear",
    "dltrain.models.mlp.mlp",
    "dltrain.models.tabular.tabular",
    "dltrain.models.text_bag.text_bag",
    "dltrain.models.text_linear.text_linear",
    "dltrain.models.text_sequence.text_cnn",
    "dltrain.models.text_sequence.text_rnn",
    "dltrain.models.text_sequence.text_transformer",
    "dltrain.objectives.SideAccuracy",
    "dltrain.objectives.SparseCategoricalCrossentropy",
    "dltrain.preprocessing.imputation.constant",
    "dltrain.preprocessing.imputation.mean",
    "dltrain.preprocessing.imputation.median",
    "dltrain.preprocessing.imputation.most_frequent",
    "dltrain.preprocessing.scaling.minmax",
    "dltrain.preprocessing.scaling.minmax_symmetric",
    "dltrain.preprocessing.scaling.none",
    "dltrain.preprocessing.scaling.quantile",
    "dltrain.preprocessing.scaling.robust",
    "dltrain.preprocessing.scaling.robust_smooth_clip",
    "dltrain.preprocessing.scaling.standard",
    "dltrain.progress.Progress",
    "dltrain.sweep.pruning.Pruning",
    "dltrain.sweep.samplers.CoarseToFineSampler",
    "dltrain.sweep.samplers.GaussianProcessSampler",
    "dltrain.tensorboard.callback.TensorBoard",
    "dltrain.tracking.mlflow.MLflow",
    "dltrain.training.augmentation.MixUp",
    "dltrain.training.augmentation.RandomCrop",
    "dltrain.training.batch_loss.BatchLoss",
    "dltrain.training.callbacks.CSVHistory",
    "dltrain.training.callbacks.LearningRate",
    "dltrain.training.checkpoint.Checkpoint",
    "dltrain.training.convergence.Convergence",
    "dltrain.training.gradient_check.GradientCheck",
    "dltrain.training.layer_spread.LayerSpread",
    "dltrain.training.regularization_schedule.FlatCosine",
    "dltrain.training.schedules.cosine",
    "dltrain.training.schedules.cosine_log",
    "dltrain.training.schedules.exponential",
    "dltrain.training.schedules.inverse_time",
    "dltrain.training.schedules.step",
    "hydra_plugins.dltrain_plugins.ray_launcher.RayLauncher",
]


@pytest.mark.parametrize("path", NAMED_BEFORE)
def test_a_path_that_conf_named_before_leads_somewhere_today(path: str) -> None:
    assert not isinstance(signature(current(path)), Unknown)


@pytest.mark.parametrize("path", NAMED_BEFORE)
def test_there_is_a_way_back_to_each_path(path: str) -> None:
    assert original(current(path)) == path


def test_a_path_is_renamed_once() -> None:
    assert not set(MOVED) & set(MOVED.values())
    assert all(current(f"dltrain.{now}") == f"dltrain.{now}" for now in MOVED.values())


def test_only_whole_names_are_replaced() -> None:
    assert current("dltrain.progress.Progress") == "dltrain.training.progress.Progress"
    assert current("dltrain.progress_of_mine.Progress") == "dltrain.progress_of_mine.Progress"


def test_only_targets_are_renamed_at_any_depth_and_in_flat_keys() -> None:
    path, now = "dltrain.progress.Progress", "dltrain.training.progress.Progress"
    assert renamed({"a": [{"_target_": path}], "b._target_": path, "path": path}, current) == {
        "a": [{"_target_": now}],
        "b._target_": now,
        "path": path,
    }


def test_a_config_is_renamed_where_it_is_read_only_missing_or_null() -> None:
    config = OmegaConf.create(
        {"a": {"_target_": "dltrain.progress.Progress", "b": None, "c": "???", "d": "${a.c}"}, "e": ["???", {}]}
    )
    OmegaConf.set_readonly(config, True)
    rename_moved(config)
    assert config.a._target_ == "dltrain.training.progress.Progress"
    assert OmegaConf.is_readonly(config)


def test_typed_and_written_paths_work_and_keep_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "callbacks").mkdir()
    (tmp_path / "callbacks" / "mine.yaml").write_text("mine:\n  _target_: dltrain.progress.Progress\n")
    words = ["dataset=synthetic", "task=multiclass", "dataset.problem=multiclass", "callbacks=[default,mine]"]
    old, new = (
        f"task.loss._target_=dltrain.{room}.SparseCategoricalCrossentropy" for room in ("objectives", "models.losses")
    )
    composer = Composer(extra_directory=tmp_path)
    before, after = (composer.compose([*words, word]) for word in (old, new))
    assert (
        before.task.loss._target_ == after.task.loss._target_ == "dltrain.models.losses.SparseCategoricalCrossentropy"
    )
    assert before.callbacks.mine._target_ == before.callbacks.progress._target_ == "dltrain.training.progress.Progress"
    assert fingerprint(before) == fingerprint(after)


def test_an_old_path_in_a_mapping_that_is_typed_works() -> None:
    config = Composer().compose(["+callbacks.mine={_target_:dltrain.progress.Progress}"])
    assert config.callbacks.mine._target_ == "dltrain.training.progress.Progress"


@pytest.mark.parametrize("name", TRACKERS)
def test_keys_of_the_only_tracker_are_keys_of_their_tracker(name: str, caplog: pytest.LogCaptureFixture) -> None:
    tell_of_name.cache_clear()
    words = [f"tracking={name}", *(f"tracking.{key}=x" for key in TRACKERS[name])]
    composer = Composer()
    for _ in range(2):
        config = composer.compose(words)
        assert [config.tracking[name][key] for key in TRACKERS[name]] == ["x"] * len(TRACKERS[name])
    assert caplog.messages == [f"note: tracking.{key} is called tracking.{name}.{key} now" for key in TRACKERS[name]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tracking=[mlflow,wandb] tracking.uri=x", "tracking=[mlflow,wandb] tracking.mlflow.uri=x"),
        ("tracking=wandb tracking.uri=x", "tracking=wandb tracking.mlflow.uri=x"),
        ("tracking=none +tracking.mode=a=b", "tracking=none +tracking.wandb.mode=a=b"),
        ("~tracking.uri", "~tracking.mlflow.uri"),
        ("tracking.uri=a,b -m", "tracking.mlflow.uri=a,b -m"),
        ("tracking=mine tracking.uri=x", "tracking=mine tracking.uri=x"),
        ("tracking.mlflow.uri=x tracking.urim=x model.mode=x", "tracking.mlflow.uri=x tracking.urim=x model.mode=x"),
    ],
)
def test_only_keys_of_shipped_trackers_are_renamed(words: str, expected: str) -> None:
    assert typed_today(words.split()) == expected.split()


def test_sweeps_and_files_may_have_the_keys_of_the_only_tracker(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "old.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /tracking: mlflow\ntracking:\n  uri: x\n"
    )
    composer = Composer(extra_directory=tmp_path)
    assert composer.compose(["experiment=old"]).tracking.mlflow.uri == "x"
    assert composer.compose(["experiment=old", "tracking.uri=y"]).tracking.mlflow.uri == "y"
    assert composer.compose_sweep(["experiment=old", "tracking.experiment=y", "seed=1,2"]).tracking.mlflow.uri == "x"


def test_a_single_tracker_from_elsewhere_stands_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "tracking").mkdir()
    (tmp_path / "tracking" / "mine.yaml").write_text("_target_: argparse.Namespace\nuri: x\n")
    config = Composer(extra_directory=tmp_path).compose(["tracking=mine", "tracking.uri=y"])
    assert config.tracking == {"_target_": "argparse.Namespace", "uri": "y"}
    assert Composer().compose(["tracking={_target_:argparse.Namespace}"]).tracking == {"_target_": "argparse.Namespace"}
