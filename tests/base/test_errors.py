from __future__ import annotations

import pytest

from dltrain.base.errors import ConfigError, DltrainError, PrunedError, RunError, did_you_mean


@pytest.mark.parametrize(
    ("word", "choices", "text"),
    [
        ("adm", ["adam", "sgd"], " Did you mean 'adam'?"),
        ("lion", ["sgd", "adam"], " Choose from adam, sgd."),
        ("x", [], ""),
        (3, [30, 1], " Did you mean '30'?"),
        ("none", [f"{place:02}" for place in range(21)], f" Choose from {', '.join(f'{n:02}' for n in range(20))}, …."),
    ],
)
def test_nearest_choice_is_named_or_all_of_a_few(word: object, choices: list[object], text: str) -> None:
    assert did_you_mean(word, choices) == text  # type: ignore[arg-type]


def test_faults_are_told_a_line_each_with_the_exit_code_of_their_kind() -> None:
    error = ConfigError(["one", "two"])
    assert str(error) == "one\ntwo"
    assert ConfigError("one").faults == ["one"]
    assert [kind.exit_code for kind in (DltrainError, ConfigError, RunError, PrunedError)] == [1, 2, 1, 1]
