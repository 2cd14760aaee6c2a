"""Every YAML of conf/ says what it is, with a command that works and chooses it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from omegaconf import DictConfig

from dltrain.base.errors import ConfigError
from dltrain.cli.main import main
from dltrain.config.compose import Composer, conf_directory

CONF = conf_directory()
FILES = sorted(CONF.rglob("*.yaml"))
# Data that a model can read where the default's cannot.
DATA = {
    "cnn": ["dataset=digits"],
    "efficientnet": ["dataset=cifar10", "scaling=none"],
    "mixed": ["dataset=imdb"],
    **{f"text_{name}": ["dataset=imdb"] for name in ("bag", "linear")},
    **{f"text_{name}": ["dataset=imdb", "text=sequence"] for name in ("cnn", "rnn", "transformer")},
}
# For networks on images; the others refuse it.
IMAGES_ONLY = "normalization/instance"


def name_of(file: Path) -> str:
    return file.relative_to(CONF).with_suffix("").as_posix()


def head_of(file: Path) -> tuple[str, str]:
    """The sentence and the command that a file opens with."""
    lines = file.read_text("utf-8").splitlines()
    if re.fullmatch(r"# @package \S+", lines[0]):
        lines = lines[1:]
    return lines[0], lines[1]


def command_of(file: Path) -> list[str]:
    return shlex.split(head_of(file)[1].removeprefix("# dltrain "))


def compose(composer: Composer, words: list[str]) -> DictConfig:
    """Checks a command as the command line does, without running it."""
    if "-m" in words:
        return composer.compose_sweep([word for word in words if word != "-m"])
    return composer.compose(words)


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def test_all_files_are_found() -> None:
    assert len(FILES) > 60
    folders = {path for path in CONF.rglob("*") if path.is_dir() and path.name != "hydra"}  # which has groups alone
    assert {path.parent for path in FILES} == folders | {CONF}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_file_opens_with_a_sentence_and_a_command(file: Path) -> None:
    sentence, command = head_of(file)
    assert re.match(r"# [A-Z0-9]", sentence), sentence
    assert len(sentence.split()) > 3
    assert not sentence.startswith("# dltrain ")
    assert re.match(r"# dltrain \S", command), command
    assert file.stem == file.stem.lower()


# The first jobs of a sweep are checked one by one.
@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=pytest.mark.slow if "-m" in command_of(file) else ()) for file in FILES],
    ids=name_of,
)
def test_command_of_the_file_works_and_uses_it(
    composer: Composer, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    name, words = name_of(file), command_of(file)
    if "--cfg" in words:
        assert main(words) == 0
        assert f"{name.replace('/', '=')}" in " ".join(words)
        assert "trainer:" in capsys.readouterr().out
        return
    chosen = compose(composer, words).hydra.runtime.choices
    group, _, option = name.rpartition("/")
    if group == "callbacks":
        assert option == chosen.get(group) or re.search(rf"\b{option}\b", " ".join(words))
    elif group == "shrink":
        assert chosen["shrink@model"] == option
    elif group:
        assert chosen[group] == option


def test_normalization_of_images_says_what_it_is_for(composer: Composer) -> None:
    with pytest.raises(ConfigError, match="needs images"):
        composer.compose([IMAGES_ONLY.replace("/", "=")])
    composer.compose([IMAGES_ONLY.replace("/", "="), "dataset=digits"])


@pytest.mark.parametrize("file", sorted((CONF / "shrink").glob("*.yaml")), ids=name_of)
def test_each_shrink_belongs_to_an_experiment_and_a_model(composer: Composer, file: Path) -> None:
    experiment, _, model = file.stem.partition("_")
    assert (CONF / "experiment" / f"{experiment}.yaml").exists()
    words = [f"model={model}", *DATA.get(model, [])]
    assert composer.compose([f"experiment={experiment}", *words]).model != composer.compose(words).model


def test_each_model_with_a_size_of_its_own_shrinks(composer: Composer) -> None:
    for file in (CONF / "model").glob("*.yaml"):
        model = composer.compose([f"model={file.stem}", *DATA.get(file.stem, [])]).model
        if {"units", "dimension", "filters"} & set(model):
            assert (CONF / "shrink" / f"smoke_{file.stem}.yaml").exists(), file.stem
