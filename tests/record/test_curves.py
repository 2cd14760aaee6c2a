from __future__ import annotations

import math
from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError
from dltrain.record.curves import check_plot, curve_of, drawn_in_text, write_plot


def test_curve_leaves_out_what_is_not_finite() -> None:
    rows = [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": math.nan}, {"epoch": 3}, {"epoch": 4, "loss": 2.0}]
    assert curve_of(rows, "loss") == [(1, 1.0), (4, 2.0)]


def test_curves_are_drawn_over_each_other() -> None:
    lines = drawn_in_text({"A": [(1, 1.0), (11, 0.0)], "B": [(1, 0.0), (11, 0.0)]}, width=30, height=3)
    assert lines[0].startswith("1 |A")
    assert lines[2].startswith("0 |B")
    assert lines[2].endswith("*")
    assert lines[-1].split() == ["1", "epoch", "11"]
    assert max(map(len, lines)) <= 30


@pytest.mark.parametrize("curve", [[(1, 0.5)], [(1, 0.5), (2, 0.5)]])
def test_flat_or_single_point_is_drawn(curve: list[tuple[float, float]]) -> None:
    assert "A" in "".join(drawn_in_text({"A": curve, "B": []}, width=40))


def test_no_curve_is_no_plot() -> None:
    assert drawn_in_text({"A": []}, width=40) == []


def test_plot_is_written_and_repeats(tmp_path: Path) -> None:
    history = [{"epoch": 1, "loss": 1.0, "val_loss": 1.5}, {"epoch": 2, "loss": 0.5, "val_loss": 1.0}]
    write_plot(tmp_path / "a.svg", {"A: <run>": history, "_b": history}, ["loss"])
    text = (tmp_path / "a.svg").read_text()
    assert text.startswith("<?xml")
    assert text.count("<path") > 4
    assert "<run>" not in text


def test_unknown_ending_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"should end with \.svg, \.png or \.pdf"):
        check_plot(Path("curves.txt"))


def test_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_plot(tmp_path / "file" / "a.svg", {"A": [{"epoch": 1, "loss": 1.0}]}, ["loss"])
