"""Words that Hydra's grammar cannot read are corrected, ready for bash and zsh."""

from __future__ import annotations

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from dltrain.config.compose import Composer
from dltrain.config.written import as_one_text, with_text

PATHS = (
    "data (1).csv",
    "data[1].csv",
    "a,b.csv",
    "it's.csv",
    "a{b}.csv",
    "a=b.csv",
    "a#b;c|d&e.csv",
    'a"b".csv',
    "(x).csv",
    "[x].csv",
    "back\\slash (1).csv",
    "100% (1).csv",
)


@pytest.mark.parametrize("path", PATHS)
def test_odd_path_is_corrected_for_the_shell_and_for_hydra(path: str) -> None:
    composer = Composer()
    words = ["dataset=csv", f"dataset.path={path}", "dataset.target=y"]
    (fault,) = composer.check(words)[1]
    shown = fault.partition("rite ")[2].removesuffix(".").removesuffix(" for one text")
    (word,) = shlex.split(shown)
    assert composer.compose(["dataset=csv", word, "dataset.target=y"]).dataset.path == path
    for foreign in ("mismatched", "token", "EOF", "extraneous", "viable"):
        assert foreign not in fault


def test_home_directory_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    (fault,) = Composer().check(["dataset=csv", "dataset.path=~/x.csv", "dataset.target=y"])[1]
    assert fault == "dataset.path: the shell does not expand '~' here. Write dataset.path=/home/ada/x.csv."


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("seed=[1", "seed: expected ']' at the end, got '[1'."),
        ("seed={1", "seed: expected '}' at the end, got '{1'."),
        ('dataset.path="x.csv', "dataset.path: expected '\"' at the end, got '\"x.csv'."),
        ("a b=3", "'a b=3': expected the name of a key before the '=', got 'a b'."),
        ("foo", "'foo': expected key=value or group=option."),
    ],
)
def test_what_cannot_be_corrected_is_said_plainly(word: str, expected: str) -> None:
    assert Composer().check([word])[1] == [expected]


def test_texts_get_quotes_where_they_need_them() -> None:
    assert with_text("dataset.path", "plain.csv") == "dataset.path=plain.csv"
    assert with_text("dataset.path", "my file.csv") == "dataset.path=my file.csv"
    for text in PATHS:
        parsed = OverridesParser.create().parse_override(as_one_text("key", text))
        assert parsed.value() == text
