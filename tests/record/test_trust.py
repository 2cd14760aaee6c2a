"""What a stranger's run may have built by verbs that look at it: nothing beside dltrain's and Keras' own."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

import dltrain
from dltrain.base.errors import ConfigError
from dltrain.cli.main import main
from dltrain.config.compose import conf_directory
from dltrain.record import trust
from dltrain.record.record import Record
from dltrain.record.trust import is_known, named_in_conf, require_trusted

WORDS = ("dataset=wine", "model=linear", "trainer.epochs=1", "quiet=true", "report=false")
QUIET = ("~callbacks.tensorboard", "~callbacks.progress")


class Proof:
    """Makes a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return (Path.touch, (self.file,))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trust") / "run"
    assert main([*WORDS, *QUIET, f"hydra.run.dir={run}"]) == 0
    return run


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cache directory of another user, who trained nothing."""
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "cache"))


@pytest.fixture
def run(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def change(run: Path, key: str, value: Any) -> None:
    config = OmegaConf.load(run / "config.yaml")
    OmegaConf.update(config, key, value, merge=False, force_add=True)
    OmegaConf.save(config, run / "config.yaml")


def hostile(proof: Path) -> Iterator[tuple[str, str, Any]]:
    """Keys and nodes of a config that would make the file `proof`, with what is to be named."""
    pickled = proof.with_name("proof.pkl")
    pickled.write_bytes(pickle.dumps(Proof(proof)))
    yield "pandas.read_pickle", "dataset", {"_target_": "pandas.read_pickle", "filepath_or_buffer": str(pickled)}
    yield "os.system", "task.loss", {"_target_": "os.system", "command": f"touch {proof}"}
    code = f"__import__('pathlib').Path({str(proof)!r}).touch()"
    yield "builtins.eval", "task.metrics.accuracy", {"_target_": "builtins.eval", "_args_": [code]}
    yield "os.system", "dataset.name", {"_target_": "os.system", "command": f"touch {proof}"}
    yield "keras.utils.get_file", "dataset.kinds", {"a": [{"_target_": "keras.utils.get_file", "origin": "file:///x"}]}


LOOKING = (
    ("evaluate", "{run}"),
    ("evaluate", "{run}", "--data", "rows.csv"),
    ("predict", "{run}", "--input", "rows.csv"),
    ("export", "{run}", "--format", "saved_model"),
    ("serve", "{run}", "--port", "0"),
    ("report", "{run}"),
)
READING = (("runs", "."), ("runs", ".", "--json"), ("compare", "{run}", "{run}_other"), ("compare", "{run}", "{run}"))


@pytest.mark.parametrize("place", range(5))
def test_no_verb_that_looks_builds_what_a_stranger_names(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int, elsewhere: None
) -> None:
    proof = tmp_path / "proof"
    name, key, node = list(hostile(proof))[place]
    change(run, key, node)
    shutil.copytree(run, f"{run}_other")
    Path("rows.csv").write_text("a\n1\n")
    for verb, *rest in LOOKING:
        capsys.readouterr()
        words = [word.format(run=run) for word in rest]
        assert main([verb, *words]) == 2, verb
        out, error = capsys.readouterr()
        assert name in error
        assert f"dltrain {verb} {run} --trust" in error
        assert out == ""
        assert len(error.splitlines()) == 1
        assert not proof.exists(), verb
    for verb, *rest in READING:
        assert main([verb, *(word.format(run=run) for word in rest)]) == 0
        assert not proof.exists(), verb
    with pytest.raises(ConfigError, match=r"dltrain\.load\(.*, trust=True\)"):
        dltrain.load(run)
    with pytest.raises(ConfigError, match="trust=True"):
        dltrain.Run(run).evaluate()
    assert not proof.exists()


def test_edited_config_of_an_own_run_is_a_strangers(run: Path) -> None:
    change(run, "task.loss", {"_target_": "os.system", "command": "true"})
    with pytest.raises(ConfigError, match=r"names os\.system \(task\)"):
        require_trusted(Record(run), trust=False)
    require_trusted(Record(run), trust=True)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.layers", "Lambda"),
        ("keras.layers", "TFSMLayer"),
        ("os", "system"),
        ("keras_hub.models", "Backbone"),
        (None, "__lambda__"),
    ],
)
def test_model_that_names_code_is_not_loaded(
    run: Path, capsys: pytest.CaptureFixture[str], module: str | None, name: str
) -> None:
    change_model(run / "model.keras", {"class_name": name, "module": module, "config": {}})
    assert main(["predict", str(run), "--input", "rows.csv"]) == 2
    error = capsys.readouterr().err
    assert f"{f'{module}.' if module else ''}{name} (in model.keras)" in error
    assert f"dltrain predict {run} --trust" in error


def change_model(file: Path, node: dict[str, Any]) -> None:
    with zipfile.ZipFile(file) as before:
        files = {name: before.read(name) for name in before.namelist()}
    config = json.loads(files["config.json"])
    config["config"]["layers"].append(node)
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(file, "w") as after:
        for name, content in files.items():
            after.writestr(name, content)


def test_run_of_shipped_parts_needs_no_trust(run: Path, elsewhere: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(run)]) == 0
    assert "accuracy" in capsys.readouterr().out


OWN = """
from dltrain.data.wine import load as load_wine
import keras

def load(name):
    return load_wine(name=name)

class Share(keras.metrics.SparseCategoricalAccuracy):
    direction = "max"
"""


def test_own_parts_go_on_where_they_were_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    Path("own_parts.py").write_text(OWN)
    own = ("dataset._target_=own_parts.load", "task=multiclass", "+task.metrics.share._target_=own_parts.Share")
    assert main([*WORDS, *QUIET, *own, "hydra.run.dir=mine"]) == 0
    assert main(["evaluate", "mine"]) == 0
    assert "share" in capsys.readouterr().out
    assert main(["report", "mine"]) == 0
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "cache"))
    assert main(["evaluate", "mine"]) == 2
    assert "own_parts.load (dataset), own_parts.Share (task)" in capsys.readouterr().err
    assert main(["evaluate", "mine", "--trust"]) == 0
    assert "share" in capsys.readouterr().out


def test_all_that_conf_names_is_known_and_little_else() -> None:
    targets = {
        line.split("_target_:")[1].split("#")[0].strip()
        for file in conf_directory().rglob("*.yaml")
        for line in file.read_text("utf-8").splitlines()
        if line.strip().startswith("_target_:")
    }
    assert targets
    assert targets <= named_in_conf()
    assert all(map(is_known, targets))
    for target in ("dltrain.gaussian.GaussianNegativeLogLikelihood", "keras.layers.Dense", "keras.losses.Huber"):
        assert is_known(target)
    for target in (
        *("os.system", "builtins.eval", "pandas.read_pickle", "hydra.utils.instantiate", "dltrain.cli.main.main"),
        *("keras.utils.get_file", "keras.models.load_model", "keras.layers.Lambda", "keras.layers.TFSMLayer"),
        *("keras.layers.deserialize", "keras.layers.Dense.from_config", "keras.src.layers.Dense", "", "None"),
    ):
        assert not is_known(target), target


def test_home_that_cannot_be_written_stops_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "file" / "below"))
    trust.remember(tmp_path / "file")
