"""Whose error is it? What a person's own code raises shows its place; a refusal of a value is told in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dltrain.base.errors import ConfigError
from dltrain.cli.main import main
from dltrain.config.build import build
from dltrain.config.compose import Composer

SMALL = ("dataset.rows=60", "model=linear", "trainer.epochs=1", "quiet=true", "report=false", "hydra.run.dir=run")
SYNTHETIC = ("dataset=synthetic", *SMALL)

OWN = """\
import functools

import keras


class Own(keras.callbacks.Callback):
    def __init__(self, patience=3, title=None):
        super().__init__()
        self.title = title + patience


def load(name, rows):
    return parse(rows)


def parse(rows):
    raise ValueError(f"line {rows} is odd")


def give_seven(function):
    @functools.wraps(function)
    def wrapped(**rest):
        return function(seven=7, **rest)

    return wrapped


@give_seven
def decorated(seven, title):
    assert (seven, title) == (7, "a")
    return keras.callbacks.Callback()


def late(name, problem, rows):
    import nowhere_to_be_found
"""


@pytest.fixture(autouse=True)
def _own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_module.py").write_text(OWN)
    (tmp_path / "own_fault.py").write_text("ratio = 1 / 0\n\n\ndef f():\n    pass\n")
    (tmp_path / "own_typo.py").write_text("def f(:\n")
    (tmp_path / "own_need.py").write_text("import nowhere_to_be_found\n\n\ndef f():\n    pass\n")
    (tmp_path / "dataset").mkdir()
    for name, target in (("own", "load"), ("late", "late")):
        file = tmp_path / "dataset" / f"{name}.yaml"
        file.write_text(f"_target_: own_module.{target}\nname: own\nrows: 60\n")
    (tmp_path / "dataset" / "less.yaml").write_text("_target_: own_module.load\nname: own\n")
    yield
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("words", "place", "last"),
    [
        ((*SYNTHETIC, "+callbacks.own._target_=own_module.Own"), 'own_module.py", line 9', "TypeError: "),
        (("dataset=own", *SMALL), 'own_module.py", line 17', "ValueError: line 60 is odd"),
        (("dataset=late", *SMALL, "+dataset.problem=1"), 'own_module.py", line 35', "ModuleNotFoundError: "),
        (
            (*SYNTHETIC, "+callbacks.own._target_=own_module.Own",
             "+callbacks.own.title._target_=own_module.parse", "+callbacks.own.title.rows=8"),
            'own_module.py", line 17', "ValueError: line 8 is odd",
        ),
        ((*SYNTHETIC, "+callbacks.own._target_=own_fault.f"), 'own_fault.py", line 1', "ZeroDivisionError: "),
        ((*SYNTHETIC, "+callbacks.own._target_=own_typo.f"), 'own_typo.py", line 1', "SyntaxError: "),
    ],
)  # fmt: skip
def test_own_bug_shows_its_place_and_the_run_is_kept(
    words: tuple[str, ...], place: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config-dir", ".", *words]) == 1
    told = capsys.readouterr().err
    assert place in told
    assert any(line.startswith(last) for line in told.splitlines()[-2:])
    assert "During handling" not in told
    assert "direct cause" not in told
    facts = json.loads(Path("run/run.json").read_text())
    assert facts["status"] == "failed"
    assert last.partition(": ")[2] in facts["error"]
    assert place in Path("run/dltrain.log").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*SYNTHETIC, "+callbacks.own._target_=own_module.Own", "+callbacks.own.titel=a"), "no argument 'titel'. Did"),
        (("dataset=less", *SMALL[1:]), "dataset: own_module.load refused its arguments: missing a required argument: "),
        ((*SYNTHETIC, "+callbacks.own._target_=own_need.f"), "own_need.f"),
        ((*SYNTHETIC, "optimizer=sgd", "+optimizer.loss_scale_factor=-1.5", "optimizer.ema_momentum=0.5",
          "optimizer.clipnorm=1", "optimizer.clipvalue=1"), "optimizer: "),
        ((*SYNTHETIC, "+callbacks.own._target_=keras.callbacks.ReduceLROnPlateau", "+callbacks.own.factor=1.5"),
         "callbacks.own: keras.callbacks.ReduceLROnPlateau refused its arguments: "),
    ],
)  # fmt: skip
def test_refusal_of_a_value_is_a_sentence(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config-dir", ".", *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told
    assert not Path("run/run.json").exists()


def test_argument_that_a_decorator_supplies_is_not_missed() -> None:
    words = ("+callbacks.own._target_=own_module.decorated", "+callbacks.own.title=a")
    assert main([*SYNTHETIC, *words]) == 0


def test_sizes_beyond_the_memory_are_refused_with_what_they_ask_for() -> None:
    node = {"_target_": "dltrain.data.synthetic.load", "numeric_columns": 10**11}
    shipped = Composer().compose(["dataset=synthetic"]).dataset
    with pytest.raises(ConfigError, match=r"^dataset: .* Unable to allocate .* TiB"):
        build(OmegaConf.merge(shipped, node), key="dataset")
