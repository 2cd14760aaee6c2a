from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from dltrain.config.sources import OPAQUE, Definition, Module, Unknown, locate


@pytest.fixture(scope="module", autouse=True)
def _package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package that fails if anything imports it."""
    folder = tmp_path_factory.mktemp("sources") / "read_not_run"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .layers import Dense as Layer\nfrom .models import *\nraise SystemExit\n")
    (folder / "layers.py").write_text("class Dense: ...\nShort = Dense\nmade = Dense()\n")
    (folder / "models.py").write_text("if 1:\n    def build(): ...\nelse:\n    def build(name): ...\n")
    (folder / "dynamic.py").write_text("def __getattr__(name): ...\n")
    (folder / "loop.py").write_text("from .loop import Loop\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder.parent)
        yield


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("read_not_run.layers.Dense", ["Dense"]),
        ("read_not_run.Layer", ["Dense"]),
        ("read_not_run.layers.Short", ["Dense"]),
        ("read_not_run.build", ["build", "build"]),
    ],
)
def test_a_definition_is_found_through_imports_and_other_names(target: str, names: list[str]) -> None:
    found = locate(target)
    assert not isinstance(found, Unknown)
    assert [each.node.name for each in found if isinstance(each, Definition)] == names


@pytest.mark.parametrize(
    "target", ["read_not_run.layers.made", "read_not_run.dynamic.anything", "read_not_run.layers.Dense.build"]
)
def test_what_no_source_shows_may_exist(target: str) -> None:
    assert locate(target) == [OPAQUE]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("read_not_runn.layers", "there is no module 'read_not_runn'. Did you mean 'read_not_run'?"),
        ("read_not_run.layers.Dens", "'read_not_run.layers' has no 'Dens'. Did you mean 'Dense'?"),
        ("read_not_run.layer.Dense", "'read_not_run' has no 'layer'. Did you mean 'layers'?"),
    ],
)
def test_the_part_that_is_wrong_gets_the_nearest(target: str, sentence: str) -> None:
    found = locate(target)
    assert isinstance(found, Unknown)
    assert sentence == found.sentence


def test_an_import_in_a_circle_ends() -> None:
    assert isinstance(locate("read_not_run.loop.Loop"), Unknown)


def test_nothing_is_imported_on_the_way() -> None:
    found = locate("read_not_run.layers")
    assert not isinstance(found, Unknown)
    assert [each.name for each in found if isinstance(each, Module)] == ["read_not_run.layers"]
    assert not [name for name in sys.modules if name.startswith("read_not_run")]
