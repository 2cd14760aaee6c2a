"""Wrong arguments are told in sentences, with the nearest flag or choice."""

from __future__ import annotations

import argparse

import pytest

from dltrain.base.errors import ConfigError
from dltrain.cli.main import main
from dltrain.verbs import verb

ARGPARSE = ("usage:", "unrecognized", "argument ", "arguments", "invalid", "choose from", "positional")


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("resume", "", "dltrain resume: expected RUN, got nothing. `dltrain resume --help` has examples."),
        ("runs", "--jsn", "there is no flag '--jsn'. Did you mean --json?"),
        ("runs", "--json --csv", "--csv and --json exclude each other: expected one of them."),
        ("runs", "--sort", "--sort: expected a value, got none."),
        ("runs", "--json=3", "--json: expected no value, got '3'."),
        ("serve", "x --port y", "--port: expected an integer, got 'y'."),
        ("serve", "x y", "'y' is one word too many."),
        (
            "export",
            "x --format onx",
            "expected one of saved_model, onnx, tflite, got 'onx'. Did you mean onnx?",
        ),
    ],
)
def test_verbs_say_it_plainly(name: str, words: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        verb(name).parse(words.split())
    assert expected in str(caught.value)
    assert not [word for word in ARGPARSE if word in str(caught.value)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--cfg jb", "error: --cfg/-c: expected one of job, hydra, all, got 'jb'. Did you mean job?\n"),
        ("--cfg", "error: --cfg/-c: expected a value, got none. `dltrain --help` lists the flags.\n"),
        ("--run=3", "error: --run/-r: expected no value, got '3'. `dltrain --help` lists the flags.\n"),
    ],
)
def test_flags_of_a_training_say_it_plainly(words: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err == expected


def test_other_messages_lose_only_the_word_argument() -> None:
    from dltrain.base.plain_arguments import plain

    parser = argparse.ArgumentParser()
    assert plain(str(argparse.ArgumentError(None, "odd")), parser) == "odd"
    assert plain("argument --x: odd", parser) == "--x: odd"
