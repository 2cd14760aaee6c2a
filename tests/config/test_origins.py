from __future__ import annotations

from pathlib import Path

import pytest

from dltrain.base.errors import ConfigError
from dltrain.config.compose import Composer, conf_directory
from dltrain.config.origins import COMMAND_LINE, REMOVED, Origin, explain


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # from where shipped files are named by their place beside conf


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer()


def written_at(origin: Origin) -> str:
    """The line of a shipped file that an origin names."""
    assert origin.line
    return (conf_directory().parent / origin.source).read_text("utf-8").splitlines()[origin.line - 1].strip(" -")


def test_the_last_place_wins_and_names_its_line(composer: Composer) -> None:
    found = explain(composer, "trainer.epochs", ["dataset=synthetic", "trainer.epochs=7"])
    assert found.value == 7
    first, last = found.chain
    assert written_at(first).startswith(f"epochs: {first.value}")
    assert (last.source, last.line, last.value) == (COMMAND_LINE, None, 7)
    assert first.place.endswith(f":{first.line}")


def test_a_group_is_explained_by_its_option(composer: Composer) -> None:
    found = explain(composer, "optimizer", ["dataset=synthetic", "optimizer=sgd"])
    assert (found.value, found.chain[-1].place) == ("sgd", COMMAND_LINE)
    assert written_at(found.chain[0]).startswith(f"optimizer: {found.chain[0].value}")
    key = explain(composer, "optimizer.learning_rate", ["dataset=synthetic", "optimizer=sgd"])
    assert key.chain[0].reason == "optimizer=sgd on the command line"


def test_a_reference_names_the_key_it_is_of(composer: Composer) -> None:
    found = explain(
        composer,
        "callbacks.early_stopping.monitor",
        ["dataset=synthetic", "callbacks.early_stopping.monitor=${task.monitor}"],
    )
    assert found.refers_to == ["task.monitor"]


def test_what_was_removed_says_so(composer: Composer) -> None:
    found = explain(composer, "callbacks.progress", ["dataset=synthetic", "~callbacks.progress"])
    assert (found.value, found.chain[-1].value) == (None, REMOVED)


@pytest.mark.parametrize(
    ("key", "near"), [("trainer.epoch", "Did you mean 'trainer.epochs'"), ("learning_rate", "optimizer.learning_rate")]
)
def test_a_key_that_nothing_sets_gets_the_nearest(composer: Composer, key: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: nothing sets this key.*{near}"):
        explain(composer, key, ["dataset=synthetic"])


def test_keys_that_await_a_value_hide_no_origin_and_other_faults_are_told(composer: Composer) -> None:
    assert explain(composer, "dataset", ["dataset=csv"]).value == "csv"
    assert explain(composer, "dataset.path", ["dataset=csv"]).chain[-1].value == "???"
    with pytest.raises(ConfigError) as caught:
        explain(composer, "dataset.path", ["dataset=csv", "trainer.epohcs=3"])
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["trainer.epohcs"]
