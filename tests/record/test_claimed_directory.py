from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError
from dltrain.record.run_directory import claim


def test_runs_that_start_together_get_a_directory_each(tmp_path: Path):
    together = threading.Barrier(6)

    def start(_: int) -> Path:
        together.wait()
        return claim(tmp_path / "day" / "run", key="hydra.run.dir", chosen=False).path

    with ThreadPoolExecutor(6) as pool:
        paths = set(pool.map(start, range(6)))
    assert paths == {tmp_path / "day" / name for name in ("run", "run_2", "run_3", "run_4", "run_5", "run_6")}


def test_chosen_directory_is_taken_as_it_is(tmp_path: Path):
    assert claim(tmp_path / "new", key="hydra.run.dir", chosen=True).created
    again = claim(tmp_path / "new", key="hydra.run.dir", chosen=True)
    assert again.path == tmp_path / "new"
    assert not again.created


@pytest.mark.parametrize("trace", ["run.json", "multirun.yaml"])
def test_chosen_directory_of_another_run_is_refused(tmp_path: Path, trace: str):
    (tmp_path / trace).write_text("{}")
    with pytest.raises(ConfigError, match=rf"holds another run \({trace}\)\. Choose another"):
        claim(tmp_path, key="hydra.run.dir", chosen=True)


@pytest.mark.parametrize("name", ["notes.txt", ".git", "model.keras"])
def test_chosen_directory_of_anything_else_is_refused_and_left_alone(tmp_path: Path, name: str):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=rf"holds other files \({name}\)\. Choose another one"):
        claim(tmp_path, key="hydra.run.dir", chosen=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_root_is_refused():
    with pytest.raises(ConfigError, match="'/' holds other files"):
        claim(Path("/"), key="hydra.run.dir", chosen=True)


def test_what_a_killed_start_left_is_taken(tmp_path: Path):
    (tmp_path / ".hydra").mkdir()
    (tmp_path / "config.yaml").write_text("{}")
    assert not claim(tmp_path, key="hydra.run.dir", chosen=True).created


@pytest.mark.parametrize("chosen", [True, False])
def test_file_in_the_way_is_told(tmp_path: Path, chosen: bool):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"hydra\.run\.dir: the directory .* cannot be made"):
        claim(tmp_path / "file" / "run", key="hydra.run.dir", chosen=chosen)


def test_chosen_directory_that_is_a_file(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="File exists"):
        claim(tmp_path / "file", key="hydra.run.dir", chosen=True)


def test_release_removes_what_holds_no_run(tmp_path: Path):
    empty = claim(tmp_path / "run", key="hydra.run.dir", chosen=False)
    (empty.path / ".hydra").mkdir()
    empty.release()
    assert not empty.path.exists()

    begun = claim(tmp_path / "run", key="hydra.run.dir", chosen=False)
    (begun.path / "run.json").write_text("{}")
    begun.release()
    assert begun.path.exists()


def test_release_keeps_what_was_there_before(tmp_path: Path):
    claim(tmp_path, key="hydra.run.dir", chosen=True).release()
    assert tmp_path.exists()
