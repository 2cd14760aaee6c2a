"""`dltrain doctor` tells each check as it is done, and exits with 1 where something is wrong."""

from __future__ import annotations

import json

import pytest

from dltrain.base.outcome import FAILED, FINE, LOOK, Outcome
from dltrain.base.tell import tell_unexpected
from dltrain.cli.main import main
from dltrain.verbs import doctor

FOUND = [Outcome("python", FINE, "Python 3.12."), Outcome("disk", LOOK, "Little is free.", tries=("delete runs",))]


@pytest.mark.parametrize(("more", "code"), [([], 0), ([Outcome("gpu", FAILED, "Broken.", tries=("mend it",))], 1)])
def test_exit_code_and_cures(
    more: list[Outcome], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "outcomes", lambda: iter([*FOUND, *more]))
    assert main(["doctor"]) == code
    shown = capsys.readouterr().out
    assert shown.startswith(
        "fine   python     Python 3.12.\nlook   disk       Little is free.\n       cure       delete"
    )
    assert ("wrong  gpu        Broken.\n       cure       mend it\n" in shown) == bool(more)
    assert main(["doctor", "--json"]) == code
    answer = json.loads(capsys.readouterr().out)
    assert answer["passed"] is not bool(more)
    assert [each["cure"] for each in answer["checks"]][:2] == [None, "delete runs"]


def test_start_that_fails_points_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    tell_unexpected(ImportError("libcudart.so: cannot open"))
    assert "`dltrain doctor` looks for a cause outside of dltrain" in capsys.readouterr().err
    tell_unexpected(KeyError("bug"))
    assert "doctor" not in capsys.readouterr().err
