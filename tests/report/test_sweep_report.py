from __future__ import annotations

import html
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from omegaconf import DictConfig

from dltrain.cli.main import main
from dltrain.report.sweep import link, write_sweep_report
from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.summary import summarise

EVIL = "<script>alert(1)</script>"


def write_sweep(
    path: Path,
    *,
    jobs: int = 12,
    seeds: bool = False,
    search: Any = None,
    same_data: bool = True,
) -> str:
    """The files of a sweep over learning rates and optimizers; gives its report."""
    entries = []
    for number in range(jobs):
        words = [f"optimizer={'sgd' if number % 2 else 'adam'}", f"optimizer.learning_rate={10 ** -(1 + number % 4)}"]
        words += [f"{'seed' if seeds else 'trainer.epochs'}={number // 4 + 1}"]
        entries.append(
            Entry(
                job=str(number),
                data="a" if same_data else str(number),
                overrides=["dataset=wine", *words],
                status="completed",
                monitor="val_loss",
                value=0.5 + 0.05 * (number % 4) + 0.001 * (number // 4) * (1 + number % 4),
                metrics={"loss": 0.5, "accuracy": 0.8 + 0.001 * number, EVIL: None},
                epochs=3,
                parameters=1_234,
                seconds=1.5,
            )
        )
    entries.append(Entry(job="99", overrides=[f"note={EVIL}"], status="failed", reason=f"It broke: {EVIL}"))
    path.mkdir(exist_ok=True)
    (path / "sweep.jsonl").write_text("".join(f"{json.dumps(asdict(entry))}\n" for entry in entries))
    summarise(path, DictConfig({"search": search}), quiet=True)
    return write_sweep_report(path).read_text()


def test_tells_the_winner_and_how_to_train_it_again(tmp_path: Path) -> None:
    page = write_sweep(tmp_path)
    assert "The best one by val_loss is job 0, 0.5000" in page
    assert "no test tells the jobs apart" in page
    assert "optimizer=adam optimizer.learning_rate=0.1" in page
    assert json.loads((tmp_path / "best.json").read_text())["command"] in html.unescape(page)
    assert "12 completed, 1 failed" in page


def test_tells_where_values_do_not_compare(tmp_path: Path) -> None:
    assert "Caution" not in write_sweep(tmp_path)
    assert "Caution: the jobs have different data, " in write_sweep(tmp_path, same_data=False)


def test_the_objective_of_a_search_decides_who_wins(tmp_path: Path) -> None:
    page = write_sweep(tmp_path, search={"objectives": ["val_accuracy"], "directions": "auto"})
    assert "The best one by val_accuracy is job 11, 0.8110" in page
    assert "val_accuracy from 0.8 to 0.811, the best" in page
    page = write_sweep(tmp_path, search={"objectives": ["epochs", "val_accuracy"], "directions": ["min", "max"]})
    assert "The best one by epochs is job 11" in page
    assert "the best by epochs." in page


def test_draws_each_setting_and_lists_the_importance(tmp_path: Path) -> None:
    page = write_sweep(tmp_path)
    names = {file.stem for file in (tmp_path / "plots").glob("*.svg")}
    assert names == {"parallel_coordinates", "over_jobs", "order_of_importance", "setting_0", "setting_1", "setting_2"}
    assert page.count("<svg") == 6
    assert "Importance of the settings" in page


def test_jobs_that_differ_in_their_seed_are_one_row(tmp_path: Path) -> None:
    page = write_sweep(tmp_path, seeds=True)
    assert "0 4 8" in page
    assert "like the best" in page
    assert "no test tells the jobs apart" not in page


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    page = write_sweep(tmp_path)
    assert "<script" not in page
    assert "It broke: &lt;script&gt;" in page


@pytest.mark.parametrize("jobs", [0, 1])
def test_sweep_with_next_to_nothing_in_it(tmp_path: Path, jobs: int) -> None:
    page = write_sweep(tmp_path, jobs=jobs)
    assert "Jobs that did not complete" in page
    assert not (tmp_path / "plots").exists()


def test_the_verb_makes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = write_sweep(tmp_path)
    (tmp_path / "report.html").unlink()
    assert main(["report", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == page


def test_rows_link_to_the_jobs_that_are_there(tmp_path: Path) -> None:
    for job in ("0", "4"):
        (tmp_path / job).mkdir()
    (tmp_path / "4" / "report.html").touch()
    page = write_sweep(tmp_path, seeds=True)
    assert '<a href="./0/">0</a> <a href="./4/report.html">4</a> 8</th>' in page


@pytest.mark.parametrize("name", ["rate=0.1,x#1?", "a b/c%20", EVIL])
def test_the_name_of_a_job_is_part_of_an_address(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    address = re.fullmatch('<a href="(.*)/">(.*)</a>', link(tmp_path, name))
    assert address
    assert (tmp_path / unquote(address[1])).samefile(tmp_path / name)
    assert html.unescape(address[2]) == name
    assert not set(address[1]) & set('#?"<> ')


def test_of_very_many_settings_the_best_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltrain.report.sweep.MOST_ROWS", 3)
    page = write_sweep(tmp_path)
    assert "These are the best 3 of 12; results.csv has all." in page
    assert page.partition('id="leaderboard"')[2].partition("</section>")[0].count("<tr>") == 4
