from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain.record.pairing import compare, scored
from dltrain.record.record import Record

Make = Callable[..., Record]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A run with these lines of predictions.csv and this content of metrics.json and run.json."""

    def write(name: str, lines: list[str] | None = None, metrics: Any = None, **facts: Any) -> Record:
        path = tmp_path / name
        path.mkdir()
        (path / "run.json").write_text(json.dumps({"status": "completed", "settings": {}} | facts))
        (path / "metrics.json").write_text(json.dumps(metrics or {}))
        if lines:
            (path / "predictions.csv").write_text("\n".join(lines) + "\n")
        return Record(path)

    return write


def classes(answers: str, targets: str | None = None) -> list[str]:
    targets = targets or "ab" * (len(answers) // 2)
    rows = [
        f"{row},test,{target},{answer},0.5" for row, (target, answer) in enumerate(zip(targets, answers, strict=True))
    ]
    return ["row_id,part,target,prediction,probability_a", *rows]


def numbers(offset: float) -> list[str]:
    return ["row_id,part,target,prediction", *(f"{row},test,{row},{row + offset * (row + 1)}" for row in range(20))]


def test_rows_of_classes_are_paired_by_their_id(make: Make) -> None:
    right, wrong = classes("ab" * 10), classes("bb" * 10)
    found = compare(make("one", wrong), make("two", [right[0], *reversed(right[1:])]), every_test=True)
    assert [(each.metric, each.on) for each in found.findings] == [("accuracy", "20 common test rows")] * 2
    assert all(each.test.p_value < 0.05 for each in found.findings)
    assert [each.test.difference for each in found.findings] == pytest.approx([0.5, 0.5])


def test_rows_of_numbers_are_compared_by_their_error(make: Make) -> None:
    found = compare(make("one", numbers(1)), make("two", numbers(0.1)))
    (finding,) = found.findings
    assert finding.metric == "rmse"
    assert finding.test.difference < 0
    assert found.reasons == []


def weigh(lines: list[str], *, heavy: int) -> list[str]:
    return [f"{lines[0]},weight", *(f"{line},{heavy if row % 3 else 1}" for row, line in enumerate(lines[1:]))]


@pytest.mark.parametrize("lines", [classes, numbers])
def test_rows_are_weighted_as_in_the_runs(make: Make, lines: Callable[[Any], list[str]]) -> None:
    one, two = (classes("ab" * 10), classes("bb" * 8 + "ab" * 2)) if lines is classes else (numbers(1), numbers(0.1))

    def repeated(rows: list[str]) -> list[str]:
        several = [row for place, row in enumerate(rows[1:]) for _ in range(3 if place % 3 else 1)]
        return [rows[0], *(f"{place}{row[row.index(',') :]}" for place, row in enumerate(several))]

    (found,) = compare(make("one", weigh(one, heavy=3)), make("two", weigh(two, heavy=3))).findings
    expected = compare(make("more", repeated(one)), make("most", repeated(two))).findings[0]
    assert found.test.difference == pytest.approx(expected.test.difference)
    assert (found.test.name, found.on) == ("paired bootstrap", "20 common test rows, weighted as in the runs")
    other = compare(make("other", weigh(one, heavy=2)), make("alike", two))
    assert not other.findings
    assert "the two runs give them different weights" in other.reasons[0]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (None, "a run has no predictions.csv"),
        (numbers(1), "one run predicts classes, the other does not"),
        (classes("ab" * 4), "8 rows in common, a test needs 10"),
        (classes("ab" * 10, "ba" * 10), "the same row ids have other targets"),
        (["row_id,part,target", "0,test,a"], "does not have the columns"),
    ],
)
def test_a_reason_tells_why_rows_are_not_paired(make: Make, second: list[str] | None, reason: str) -> None:
    found = compare(make("one", classes("ab" * 10)), make("two", second))
    assert found.findings == []
    (told,) = found.reasons
    assert reason in told


def test_a_part_is_read_alone(make: Make) -> None:
    lines = ["row_id,part,target_x,target_y,prediction_x,prediction_y", "0,validation,1,0,1,1", "1,test,0,1,0,1"]
    found = scored(make("one", lines), "test")
    assert found
    assert (found.kind, found.rows) == ("labels", {"1": (("0", "1"), ("0", "1"))})


def test_seeds_are_paired_if_two_are_shared(make: Make) -> None:
    def seeds(*runs: int) -> dict[str, Any]:
        return {"seeds": {"runs": [{"seed": seed, "test": {"accuracy": seed / 10}} for seed in runs]}}

    few = compare(make("one", metrics=seeds(1, 2)), make("two", metrics=seeds(2, 3)))
    assert few.reasons[-1] == "The seeds cannot be paired: the runs have 1 in common."
    (finding,) = compare(make("three", metrics=seeds(1, 2, 3)), make("four", metrics=seeds(2, 3, 4))).findings
    assert (finding.metric, finding.on) == ("accuracy", "2 common seeds")
