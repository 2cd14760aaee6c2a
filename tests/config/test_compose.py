from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer, conf_directory
from dltrain.config.hydra_node import resolving
from dltrain.config.options import LAUNCHERS


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def faults(composer: Composer, *overrides: str) -> list[str]:
    return composer.check(overrides)[1]


def test_shipped_config_is_clean(composer: Composer):
    config = composer.compose(["dataset=titanic", "optimizer=sgd", "trainer.epochs=3"])
    assert config.trainer.epochs == 3
    assert config.optimizer._target_ == "keras.optimizers.SGD"
    assert list(config.hydra.overrides.task) == ["dataset=titanic", "optimizer=sgd", "trainer.epochs=3"]


@pytest.mark.parametrize(
    ("group", "option"),
    [
        (file.parent.name, file.stem)
        for file in sorted(conf_directory().glob("*/*.yaml"))
        if file.parent.name in ("optimizer", "initializer", "regularizer", "scaling", "split", "task", "trainer")
    ],
)
def test_shipped_options_are_clean(composer: Composer, group: str, option: str):
    found = [fault for fault in faults(composer, f"{group}={option}") if fault.startswith(group)]
    told = [fault for fault in found if "expected a value, got none" not in fault]  # a column is for a person to name
    assert told == []


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("optimiser=adam", "optimiser: there is no such key. Did you mean optimizer=adam?"),
        ("optimizer=adm", "optimizer: there is no option 'adm'. Did you mean optimizer=adam?"),
        ("optimizer=null", "optimizer: there is no option 'null'."),
        ("optimizer=[adam,adm]", "optimizer: there is no option 'adm'."),
        ("trainer.epohcs=3", "trainer.epohcs: there is no such key. Did you mean trainer.epochs=3?"),
        ("trainr.epochs=3", "trainr: there is no such key."),
        ("+epohcs=3", "epohcs: there is no such key."),
        ("++trainer.epohcs=3", "trainer.epohcs: there is no such key."),
        (
            "+trainer.epochs=3",
            "trainer.epochs: there is a value already. Write trainer.epochs=3 to change it.",
        ),
        (
            "~callbacks.tensorbord",
            "callbacks.tensorbord: there is nothing of this name to delete. Did you mean '~callb",
        ),
        ("~seed", "seed: expected a value, got none."),
        ("seed=???", "seed: expected a value, got none."),
        ("trainer.epochs=many", "trainer.epochs: expected an integer"),
        ("trainer.epochs.x=3", "trainer.epochs.x: 'trainer.epochs' is 300 with the chosen options"),
        ("trainer=3", "trainer: there is no option '3'."),
        (
            "schedule.factor=2",
            "schedule.factor: 'schedule' is null with the chosen options and has no key 'factor'.",
        ),
        ("+schedule.factor=2", "schedule.factor: 'schedule' is null with the chosen options"),
        (
            "optimizer.learning_rat=1",
            "optimizer.learning_rat: keras.optimizers.Adam has no argument 'learning_rat'.",
        ),
        ("+optimizer.learning_rat=1", "optimizer.learning_rat: keras.optimizers.Adam has no argument"),
        ("optimizer.weight_decay=1", "Write +optimizer.weight_decay=1 to add it."),
        ("optimizer._target_=keras.optimizers.Adm", "optimizer._target_: 'keras.optimizers' has no 'Adm'."),
        ("model.unts=[3]", "model.unts: "),
        ("optimizer=adam,sgd", "optimizer: expected one option for one run, got 'adam,sgd'. Add -m"),
        ("seed=1,2", "seed: expected one value for one run, got '1,2'. Add -m to run each of them."),
        ("optimizer=glob(zz*)", "optimizer: glob(zz*) matches no option. Choose from adagrad, adam, "),
        ("seed=glob(1*)", "seed: glob(1*) matches no option. It is not a group of options."),
        ("foo", "'foo': expected key=value or group=option."),
        ("seed=[1", "seed: expected ']' at the end, got '[1'."),
        ("seed=${nope}", "seed: ${nope} cannot be resolved: it refers to the key 'nope', which does not exist."),
        (
            "seed=${oc.env:DLTRAIN_NO_SUCH_VARIABLE}",
            "Environment variable 'DLTRAIN_NO_SUCH_VARIABLE' not found",
        ),
        ("hydra.run.dirr=x", "hydra.run.dirr: there is no such key. Did you mean hydra.run.dir=x?"),
        ("hydra.job.chdir=maybe", "hydra.job.chdir: expected true or false, got 'maybe'"),
        ("hydra/launcher=jobli", "hydra/launcher: there is no option 'jobli'."),
        ("hydra.run.dir=${nope}", "hydra.run.dir: it refers to the key 'nope'"),
        ("+optimizer=adam", "optimizer: an option is chosen already. Write optimizer=adam to choose another."),
        ("++optimizer=adam", "optimizer: expected optimizer=… or +optimizer=…, got ++optimizer=…."),
    ],
)
def test_each_mistake_is_told_once(composer: Composer, override: str, words: str):
    (fault,) = faults(composer, override)
    assert words in fault


def test_launcher_that_is_not_installed_names_its_extra(composer: Composer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(LAUNCHERS, "absent", "slurm")
    (fault,) = faults(composer, "hydra/launcher=absent")
    assert fault == "hydra/launcher: 'absent' needs pip install 'dltrain-keras[slurm]'."


@pytest.mark.parametrize(
    "override",
    [
        "+optimizer.weight_decay=0.1",
        "~callbacks.tensorboard",
        "rows=null",
        "trainer.batch_size=auto",
        "model.units=[3,2]",
    ],
)
def test_what_is_valid_passes(composer: Composer, override: str):
    assert faults(composer, override) == []


def test_all_mistakes_come_at_once(composer: Composer):
    told = faults(composer, "optimizer=adm", "trainer.epohcs=3", "seed=-1", "foo", "++model=mlp", "hydra.x=1")
    keys = [fault.partition(":")[0] for fault in told]
    assert {"optimizer", "trainer.epohcs", "seed", "hydra.x"} <= set(keys)
    assert len(told) == 6
    with pytest.raises(ConfigError) as caught:
        composer.compose(["optimizer=adm", "seed=-1"])
    assert len(caught.value.faults) == 2
    assert caught.value.exit_code == 2


def test_a_failed_check_leaves_no_trace_in_the_next(composer: Composer):
    assert faults(composer, "+epohcs=3", "~seed")
    assert faults(composer) == []


def test_faults_inside_yaml_are_told_by_key(tmp_path: Path):
    (tmp_path / "optimizer").mkdir()
    text = "_target_: keras.optimizers.Adam\nlearning_rate: fast\nbeta1: 0.9\n"
    (tmp_path / "optimizer" / "mine.yaml").write_text(text)
    told = Composer(extra_directory=tmp_path).check(["optimizer=mine"])[1]
    assert [fault.partition(":")[0] for fault in told] == ["optimizer.beta1", "optimizer.learning_rate"]


@pytest.mark.parametrize("text", ["a: [1", "a: 1\na: 2\n", "a:\n\t- b\n"])
def test_broken_yaml_names_the_file_and_line(tmp_path: Path, text: str):
    (tmp_path / "optimizer").mkdir()
    (tmp_path / "optimizer" / "mine.yaml").write_text(text)
    (fault,) = Composer(extra_directory=tmp_path).check(["optimizer=mine"])[1]
    assert "mine.yaml" in fault
    assert "line" in fault


def test_extra_directory_adds_and_says_what_it_cannot_replace(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "optimizer").mkdir()
    for name in ("mine", "adam"):
        (tmp_path / "optimizer" / f"{name}.yaml").write_text("_target_: keras.optimizers.Adam\nlearning_rate: 0.5\n")
    with caplog.at_level(logging.WARNING):
        config = Composer(extra_directory=tmp_path).compose(["optimizer=mine"])
    assert config.optimizer.learning_rate == 0.5
    (message,) = caplog.messages
    assert "adam.yaml" in message
    assert "is not used" in message


def test_extra_directory_that_does_not_exist(tmp_path: Path):
    with pytest.raises(ConfigError, match="--config-dir expects a folder"):
        Composer(extra_directory=tmp_path / "nope")


def test_directory_and_name_of_ones_own(tmp_path: Path):
    (tmp_path / "other.yaml").write_text("sed: 1\n")
    with pytest.raises(ConfigError) as caught:
        Composer(tmp_path, config_name="other").compose([])
    assert "sed: there is no such key. Did you mean 'seed'?" in caught.value.faults
    with pytest.raises(ConfigError, match="Cannot find primary config 'nope'"):
        Composer(tmp_path, config_name="nope").compose([])


def test_sweep_checks_each_job_and_names_it(composer: Composer):
    config = composer.compose_sweep(["optimizer=adam,sgd", "seed=1,2"])
    assert config.optimizer._target_ == "keras.optimizers.Adam"
    with pytest.raises(ConfigError) as caught:
        composer.compose_sweep(["optimizer=adam,adm", "trainer.epochs=1,many", "quiet=3"])
    told = caught.value.faults
    assert [fault for fault in told if fault.startswith("quiet")] == ["quiet: expected true or false, got 3."]
    assert any(
        "'adm'" in fault and fault.endswith("(In the job with optimizer=adm trainer.epochs=1.)") for fault in told
    )
    assert any("'many'" in fault and fault.endswith("trainer.epochs=many.)") for fault in told)
    assert len(told) == 3


def test_sweep_that_fails_to_parse_or_to_split(composer: Composer):
    with pytest.raises(ConfigError, match="expected ']' at the end"):
        composer.compose_sweep(["seed=[1", "optimizer=adam,sgd"])
    with pytest.raises(ConfigError, match=r"learning_rate: interval\(0,1\) is not a list of values\. Give choice"):
        composer.compose_sweep(["optimizer.learning_rate=interval(0,1)"])


def test_run_directory_resolves_outside_of_a_job(composer: Composer):
    config = composer.compose(["model=linear"])
    before = HydraConfig.instance().cfg
    with resolving(config):
        assert str(OmegaConf.select(config, "hydra.run.dir")).endswith("linear")
    assert HydraConfig.instance().cfg is before


def test_glob_stands_for_the_options_of_a_group(composer: Composer) -> None:
    jobs = composer.jobs(["optimizer=glob(ad*,exclude=adamax)"])
    assert [word for (word,) in jobs] == [f"optimizer={name}" for name in ("adagrad", "adam", "adamw")]


def test_sweep_with_the_same_job_twice_is_refused(composer: Composer) -> None:
    with pytest.raises(ConfigError, match=r"^-m: 2 jobs are the same \(optimizer=adam\)\. Name each value once\.$"):
        composer.compose_sweep(["optimizer=adam,sgd,adam", "seed=1"])


@pytest.mark.parametrize(
    "words",
    [
        ["task.class_weight={0: 1, 1: 2}"],
        ["task.class_weight={'0': 1}", "+task.class_weight.1=2"],
        ["+task.class_weight.0=1", "+task.class_weight.1=2"],
        ["+task.class_weight={0: 1}", "+task.class_weight.1=2"],
    ],
)
def test_keys_of_numbers_and_of_text_are_alike(composer: Composer, words: list[str]) -> None:
    plain = [word.replace("'0'", "0") for word in words]
    found = composer.compose(plain)
    assert OmegaConf.to_container(found.task.class_weight) == {"0": 1, "1": 2}
    loaded = composer.loader.load_configuration("config", plain, RunMode.RUN, from_shell=False)
    assert loaded.task.class_weight == found.task.class_weight
    if plain != words:
        assert [each for each in faults(composer, *words) if "'task.class_weight={0: 1}'" in each]


def test_keys_of_numbers_in_yaml_are_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("task: {class_weight: {0: 1, true: 2, low: {3: null}}}\n")
    config = Composer(directory=tmp_path).loader.load_configuration("config", [], RunMode.RUN, from_shell=False)
    assert OmegaConf.to_container(config.task) == {"class_weight": {"0": 1, "True": 2, "low": {"3": None}}}


def test_entry_of_what_is_null_and_no_mapping_is_refused(composer: Composer) -> None:
    assert faults(composer, "+schedule.factor=2") == [
        "schedule.factor: 'schedule' is null with the chosen options and has no key 'factor'. "
        "Did you mean schedule=exponential schedule.factor=2?"
    ]


def test_a_key_below_a_misspelt_callback_shows_the_right_one() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean callbacks\.early_stopping\.patience=3"):
        Composer().compose(["callbacks.early_stoping.patience=3"])


def test_patience_that_never_ends_a_training_shows_how_to_leave_it_out() -> None:
    with pytest.raises(ConfigError, match=r"expected less, or .~callbacks\.early_stopping"):
        Composer().compose(["trainer.epochs=30", "callbacks.early_stopping.patience=30"])
