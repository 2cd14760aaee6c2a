from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from dltrain.config.annotations import REQUIRED
from dltrain.config.signatures import TargetSignature, signature
from dltrain.config.sources import Unknown


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A package `<name>` that holds the files each test writes; its name is new for each test."""
    name = f"package_{abs(hash(request.node.name))}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def write(tmp_path: Path, package: str, name: str, text: str) -> None:
    (tmp_path / package / f"{name}.py").write_text(text)


def known(target: str) -> TargetSignature:
    found = signature(target)
    assert isinstance(found, TargetSignature), found
    return found


def test_keras_optimizer_takes_its_own_and_its_bases_arguments():
    adam = known("keras.optimizers.Adam")
    assert adam.parameters["learning_rate"] == 0.001
    assert {"beta_1", "clipnorm", "use_ema", "gradient_accumulation_steps"} <= set(adam.parameters)
    assert "learning_rat" not in adam.parameters
    assert not adam.open
    assert adam.required == frozenset()


def test_keras_layer_reaches_layer_through_kwargs():
    norm = known("keras.layers.BatchNormalization")
    assert {"momentum", "trainable", "dtype"} <= set(norm.parameters)
    assert not norm.open
    assert known("keras.layers.Dense").required == {"units"}


def test_kwargs_that_are_dropped_in_silence_close_the_signature():
    assert not known("keras.callbacks.ReduceLROnPlateau").open
    assert known("keras.callbacks.LambdaCallback").open


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("keras.optimizers.Adamm", "'keras.optimizers' has no 'Adamm'. Did you mean 'Adam'?"),
        ("keras.optimisers.Adam", "'keras' has no 'optimisers'. Did you mean 'optimizers'?"),
        ("kears.optimizers.Adam", "there is no module 'kears'. Did you mean 'keras'?"),
        ("keras.optimizers", "is a module"),
    ],
)
def test_unknown_part_of_a_path_is_named(target: str, words: str):
    found = signature(target)
    assert isinstance(found, Unknown)
    assert words in found.sentence


@pytest.mark.parametrize(
    "target", ["math.sqrt", "numpy.array", "keras.optimizers.Adam.from_config", "collections.OrderedDict"]
)
def test_what_the_source_does_not_settle_is_open(target: str):
    assert known(target).open


def test_nothing_is_imported():
    code = (
        "import sys; from dltrain.config.signatures import signature; signature('keras.optimizers.Adam');"
        "print([name for name in ('keras', 'tensorflow', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_runs(tmp_path: Path, package: str):
    write(tmp_path, package, "loud", "raise SystemExit('ran')\ndef make(units: int, *, rate=0.5): ...\n")
    found = known(f"{package}.loud.make")
    assert found.parameters == {"units": REQUIRED, "rate": 0.5}
    assert not found.open
    assert found.hints == {"units": int}


def test_re_exports_are_followed(tmp_path: Path, package: str):
    write(tmp_path, package, "inner", "class _Real:\n    def __init__(self, size=1): ...\nPublic = _Real\n")
    write(tmp_path, package, "outer", "from .inner import Public as Shown\nimport json as inner_json\n")
    write(tmp_path, package, "star", "from .outer import *\n")
    for module, name in [("inner", "Public"), ("outer", "Shown"), ("star", "Shown")]:
        assert known(f"{package}.{module}.{name}").parameters == {"size": 1}
    assert "cls" in known(f"{package}.outer.inner_json.loads").parameters


def test_both_branches_of_a_conditional_base_count(tmp_path: Path, package: str):
    write(
        tmp_path,
        package,
        "branches",
        "import os\n"
        "if os.name == 'nt':\n    class Base:\n        def __init__(self, left=1): ...\n"
        "else:\n    class Base:\n        def __init__(self, right=1): ...\n"
        "class Child(Base):\n    def __init__(self, own, **rest):\n        super().__init__(**rest)\n",
    )
    child = known(f"{package}.branches.Child")
    assert set(child.parameters) == {"own", "left", "right"}
    assert child.required == {"own"}
    assert not child.open


@pytest.mark.parametrize(
    ("body", "is_open"),
    [
        ("self.options = rest", True),
        ("self.a = rest.pop('a', 1)\n        if rest:\n            raise TypeError(rest)", False),
        ("super().__init__(**rest)", False),
    ],
)
def test_kwargs_are_open_unless_refused(tmp_path: Path, package: str, body: str, is_open: bool):
    write(tmp_path, package, "rest", f"class Mine:\n    def __init__(self, **rest):\n        {body}\n")
    found = known(f"{package}.rest.Mine")
    assert found.open is is_open
    assert ("a" in found.parameters) == ("pop" in body)


def test_base_that_cannot_be_read_is_open(tmp_path: Path, package: str):
    text = "from nowhere import Base\nclass A(Base): ...\nclass B(Base):\n    def __init__(self, x): ...\n"
    write(tmp_path, package, "bases", text)
    assert known(f"{package}.bases.A").open
    assert not known(f"{package}.bases.B").open


def test_unknown_decorator_and_broken_source_are_open(tmp_path: Path, package: str):
    write(tmp_path, package, "wrapped", "from nowhere import wrap\n@wrap(1)\ndef f(a): ...\n")
    write(tmp_path, package, "broken", "def f(:\n")
    assert known(f"{package}.wrapped.f").open
    assert known(f"{package}.broken.f").open


def test_dataclass_fields_are_arguments(tmp_path: Path, package: str):
    write(
        tmp_path,
        package,
        "data",
        "from dataclasses import dataclass, field\nfrom typing import ClassVar\n"
        "@dataclass\nclass Base:\n    name: str\n"
        "@dataclass(frozen=True)\nclass Child(Base):\n    size: int = 3\n"
        "    kinds: list[str] = field(default_factory=list)\n"
        "    made: int = field(init=False)\n    shared: ClassVar[int] = 1\n",
    )
    child = known(f"{package}.data.Child")
    assert set(child.parameters) == {"name", "size", "kinds"}
    assert child.required == {"name"}
    assert child.hints["kinds"] == list[str]


def test_annotations_become_types(tmp_path: Path, package: str):
    write(
        tmp_path,
        package,
        "typed",
        "from __future__ import annotations\n"
        "from collections.abc import Sequence\nfrom typing import Literal, Optional\n"
        "import numpy as np\nMode = Literal['a', 'b']\n"
        "def f(x: Sequence[int], mode: Mode, rate: float | None, y: np.ndarray, z: 'Optional[int]'): ...\n",
    )
    hints = known(f"{package}.typed.f").hints
    assert hints["x"] == list[int]
    assert hints["mode"] == Literal["a", "b"]
    assert hints["rate"] == float | None
    assert hints["z"] == int | None
    assert "y" not in hints


def test_a_module_that_comes_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(signature("comes_later.Mine"), Unknown)
    (tmp_path / "comes_later.py").write_text("class Mine:\n    def __init__(self, much=1): ...\n")
    importlib.invalidate_caches()
    found = signature("comes_later.Mine")
    assert isinstance(found, TargetSignature)
    assert list(found.parameters) == ["much"]
