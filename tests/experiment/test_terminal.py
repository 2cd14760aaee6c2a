from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dltrain.experiment.terminal import show_header, show_how_to_go_on, show_results


def test_header_shows_a_fact_a_line_as_it_is(console: Console) -> None:
    show_header(console, {"data": "[red]wine[/red]\x1b[31m: 3 rows"}, quiet=False)
    (line,) = console.export_text(clear=False).splitlines()
    assert line.startswith("data  [red]wine[/red]")
    assert "\x1b" not in line
    before = console.export_text()
    show_header(console, {"data": "wine"}, quiet=True)
    assert before
    assert console.export_text() == ""


def test_table_has_a_row_a_metric_and_the_interval_of_the_last_part(
    console: Console, make_results: Any, tmp_path: Path
) -> None:
    show_results(console, make_results(), tmp_path, averaged=False)
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines[0] == "best epoch 2 of 3"
    assert lines[1].split("  ")[0] == "metric"
    assert "most frequent class (test)" in lines[1]
    assert lines[2].split() == ["loss", "0.2500", "0.5000", "0.4000", "to", "0.6000", "0.7500"]
    assert lines[3].split() == ["auc", "0.8750", "undefined"]
    assert lines[4] == "beats most frequent class by 0.125 accuracy (0.0625 to 0.188) on test"
    assert lines[5:] == ["A note.", f"run  {tmp_path}"]


def test_mean_of_several_models_has_no_best_epoch(console: Console, make_results: Any, tmp_path: Path) -> None:
    show_results(console, make_results(intervals={}), tmp_path, averaged=True)
    text = console.export_text()
    assert "best epoch" not in text
    assert "95 % interval" not in text


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({}, "interrupted before epoch 1"),
        (
            {"reached": {"epoch": 3, "epochs": 9, "metrics": {"loss": 0.123456}}},
            "interrupted after epoch 3 of 9 (loss 0.1235)",
        ),
    ],
)
def test_interrupted_run_says_how_to_go_on(console: Console, facts: dict[str, Any], text: str) -> None:
    show_how_to_go_on(console, facts, Path("my run[1]"))
    assert console.export_text().splitlines() == [text, "go on with  dltrain resume 'my run[1]'"]
