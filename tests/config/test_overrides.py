from __future__ import annotations

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from dltrain.config.overrides import grid_jobs


@pytest.mark.parametrize(
    "words",
    [
        ["a=1"],
        ["a=1,2", "b=x", "+c=range(3)", "~d"],
        ["a=1,2", "a=3,4"],
        ["a=choice(1,2)", "b=[1,2],[3]", "b@here=x,y"],
        ["a='x y','z'", "b={c: 1}"],
    ],
)
def test_grid_is_that_of_hydra(words: list[str]) -> None:
    parsed = OverridesParser.create().parse_overrides(words)
    assert [grid_jobs(parsed)] == BasicSweeper.split_arguments(parsed, None)
