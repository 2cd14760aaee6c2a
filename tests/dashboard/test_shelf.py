from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError
from dltrain.dashboard.shelf import Shelf


def test_table_has_each_run_with_what_was_typed_and_what_differs(
    tmp_path: Path, write_run: Callable[..., Path], write_sweep: Callable[..., Path]
) -> None:
    write_run("a")
    write_run("b", score=0.9, overrides=["x=it's"], settings={"seed": 7})
    write_run("c", status="running", pid=2**22 + 1)
    write_sweep("s")
    (tmp_path / "outputs" / "broken").mkdir()
    (tmp_path / "outputs" / "broken" / "run.json").write_text("{")
    found = Shelf(tmp_path / "outputs").table()
    rows = {row["run"]: row for row in found["rows"]}
    assert set(rows) == {"a", "b", "c", "broken", "s/0", "s/1", "s/2", "s/3"}
    assert (rows["a"]["validation"], rows["a"]["interval"], rows["a"]["status"]) == (0.8, [0.7, 0.9], "completed")
    assert rows["a"]["typed"] == "dataset=wine optimizer=adam"
    assert rows["b"]["settings"][found["keys"].index("seed")] == 7
    assert rows["c"]["status"] == "died"
    assert rows["s/1"]["sweep"] == "s"
    assert rows["broken"]["fault"]
    json.dumps(found, allow_nan=False)
    assert [row["run"] for row in Shelf(tmp_path / "outputs").table("accuracy>0.85")["rows"]] == ["b"]


def test_only_what_changed_is_read_again(
    tmp_path: Path, write_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run("a")
    write_run("b")
    read: list[str] = []
    from dltrain.dashboard import shelf

    true_read = shelf.read_row
    monkeypatch.setattr(shelf, "read_row", lambda path, sweep: read.append(Path(path).name) or true_read(path, sweep))
    shown = Shelf(tmp_path / "outputs")
    shown.rows()
    shown.rows()
    assert sorted(read) == ["a", "b"]
    os.utime(run / "run.json", ns=(1, 1))
    shown.rows()
    assert sorted(read) == ["a", "a", "b"]


@pytest.mark.parametrize("name", ["..", "../outputs/../..", "/etc", "a/../..", "nothing", "link", "a\0b", "a" * 5000])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, write_run: Callable[..., Path], name: str) -> None:
    write_run("a")
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "outputs" / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="There is no"):
        Shelf(tmp_path / "outputs").directory(name, "run.json")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no folder"):
        Shelf(tmp_path / "none")
