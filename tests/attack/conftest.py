from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from dltrain.cli.main import main


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # The clock of `within` is the one that pytest-timeout would use.
            item.add_marker(pytest.mark.timeout(3_600, method="thread"), append=False)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A completed run with numbers, categories and everything that a run leaves."""
    run = tmp_path_factory.mktemp("attacked") / "run"
    words = ["dataset=synthetic", "dataset.rows=60", "trainer.epochs=1", "model.units=[2]", "quiet=true", "report=true"]
    assert main([*words, "score_test=always", f"hydra.run.dir={run}"]) == 0
    return run


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets `dltrain serve` end where it would begin to listen."""
    uvicorn = pytest.importorskip("uvicorn", reason="needs the extra `serve`")

    # The logging of its config would close a stream of pytest that absl holds.
    monkeypatch.setattr(uvicorn, "Config", lambda *_, **__: None)
    monkeypatch.setattr(uvicorn, "Server", lambda _: SimpleNamespace(run=lambda: None, started=True))
