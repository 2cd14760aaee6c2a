"""What `import dltrain` gives: names for Tab, each with an example that runs, and at once."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import dltrain

CALLED = [name for name in dltrain.__all__ if not name.endswith("Error")]


def test_tab_shows_what_is_public_and_nothing_else() -> None:
    assert [name for name in dir(dltrain) if not name.startswith("_")] == sorted(dltrain.__all__)
    assert {"train", "sweep", "Run", "Sweep", "Classifier", "Regressor"} <= set(dltrain.__all__)
    assert all(getattr(dltrain, name).__doc__ for name in dltrain.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = dltrain.trian


def test_the_import_loads_nothing_heavy() -> None:
    code = "import sys; before = {*sys.modules}; import dltrain; dir(dltrain); print(sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in eval(done.stdout)}
    assert loaded <= {"dltrain", *sys.stdlib_module_names}


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLED)
def test_the_example_of_its_docstring_runs(name: str, examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(examples)
    found = getattr(dltrain, name)
    tests = doctest.DocTestFinder(recurse=inspect.isclass(found)).find(found, name, globs={"dltrain": dltrain})
    assert any(test.examples for test in tests)
    runner = doctest.DocTestRunner()
    for test in tests:
        runner.run(test, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    words, short = ("dataset=wine", "model=linear"), {"trainer__epochs": 2, "report": False}
    dltrain.train(*words, directory=folder / "outputs" / "wine", **short)  # type: ignore[arg-type]
    dltrain.train(*words, optimizer="sgd", directory=folder / "outputs" / "other", **short)  # type: ignore[arg-type]
    dltrain.sweep(*words, seed=[1, 2], directory=folder / "outputs" / "sweep", **short)  # type: ignore[arg-type]
    return folder
