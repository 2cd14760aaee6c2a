from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from omegaconf import OmegaConf

from dltrain.config.compose import conf_directory
from dltrain.config.json_schema import shipped_with
from dltrain.verbs.init import TEMPLATE

FILES = sorted(conf_directory().rglob("*.yaml"))
# Names that a person chooses, and arguments of classes that take any.
FREE = ("augmentation", "callbacks", "task/", "hydra", "overfitting")
FREE += ("search/tpe", "search/best", "search/halving", "search/median")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return shipped_with(None)


@pytest.fixture(scope="module")
def valid(schema: dict[str, Any]) -> Any:
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema).is_valid


def content(file: Path) -> Any:
    return OmegaConf.to_container(OmegaConf.load(file))


def keys(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in node.items() if isinstance(node, dict) else ():
        if name not in ("defaults", "hydra"):
            yield (*path, name)
            yield from keys(value, (*path, name))


def test_every_shipped_file_is_valid_in_the_eyes_of_an_editor(schema: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    files = [*FILES, *sorted((TEMPLATE / "conf").rglob("*.yaml"))]
    words = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(tmp_path / "schema.json"), *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(files) > 100


def test_each_misspelt_key_of_shipped_files_is_underlined(valid: Any) -> None:
    passed, tried = [], set()
    for file in FILES:
        name = file.relative_to(conf_directory()).as_posix()
        shipped = {} if any(word in name for word in FREE) else content(file)
        for path in keys(shipped):
            if (path[0] in ("callbacks", "augmentation") and len(path) == 2) or path in (("mlflow",), ("wandb",)):
                continue
            if (file.parent, path) in tried:  # which a file of the same kind has too
                continue
            tried.add((file.parent, path))
            changed = copy.deepcopy(shipped)
            node = changed
            for key in path[:-1]:
                node = node[key]
            node[f"{path[-1][:-1]}zq"] = node.pop(path[-1])
            passed += [(name, ".".join(path))] if valid(changed) else []
    assert not passed
    assert len(tried) > 300


@pytest.mark.parametrize(
    "wrong",
    [
        {"optimizer": {"learning_rate": "fast"}},
        {"optimizer": {"learning_rate": 0}},
        {"_target_": "keras.optimizers.Adam", "beta_1": 1.0},
        {"_target_": "keras.optimizers.Adam", "learning_rat": 0.1},
        {"trainer": {"epochs": 0}},
        {"trainer": {"epochs": 2.5}},
        {"trainer": {"batch_size": "all"}},
        {"task": {"name": "classification"}},
        {"callbacks": {"early_stoppign": {"patience": 3}}},
        {"callbacks": {"early_stopping": {"patience": -1}}},
        {"augmentation": {"rotation": {"facotr": 0.1}}},
        {"tracking": {"mlflow": {"urii": "sqlite:///mlflow.db"}}},
        {"tracking": {"mine": {"uri": "sqlite:///mlflow.db"}, "wandb": {"mode": 3}}},
        {"checks": "warm"},
        {"search": {"space": {"optimizer": {"learning_rate": {"lowest": 0.1}}}}},
        {"search": {"space": {"optimzer": {"learning_rate": {"low": 0.1, "high": 1}}}}},
        {"model": {"dropuot": 0.1}},
        {"model": {"dropout": 1.0}},
        {"schedule": {"epochs": [0]}},
        {"unit": 3},
        {"seed": -1, "trainer": {"epochs": 1}},
    ],
)
def test_values_that_a_run_refuses_are_underlined(valid: Any, wrong: dict[str, Any]) -> None:
    assert not valid(wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"optimizer": {"learning_rate": "${other.key}"}, "trainer": {"batch_size": "auto"}},
        {"defaults": ["csv", {"override /model": "mlp"}], "dataset": {"path": "???"}},
        {"_target_": "my_models.Network", "anything": [1, {"a": 2}]},
        {"optimizer": {"_target_": "my_optimizers.Mine", "anything": 3}},
        {"mine": {"_target_": "my_callbacks.Mine", "anything": 3}},
        {"callbacks": {"early_stopping": None, "mine": {"_target_": "my_callbacks.Mine"}}},
        {"tracking": None},
        {"tracking": {"mlflow": {"uri": "x"}, "mine": {"_target_": "my_trackers.Mine"}}},
        {"tracking": {"_target_": "my_trackers.Mine", "anything": 3}},
        {"search": {"space": {"optimizer": {"choices": ["adam", "sgd"]}, "model": {"units": {"low": 1, "high": 9}}}}},
        {"normalization": None, "cv": None, "rows": 100, "hydra": {"run": {"dir": "x"}}},
        {"optimizer": {"learning_rate": {"_target_": "keras.optimizers.schedules.ExponentialDecay"}}},
    ],
)
def test_what_a_run_takes_is_not_underlined(valid: Any, right: dict[str, Any]) -> None:
    assert valid(right)


def test_comments_are_descriptions_and_ranges_are_told(schema: dict[str, Any]) -> None:
    definitions = schema["definitions"]
    assert definitions["seed"]["description"].startswith("of the split")
    adam = definitions["optimizer.node"]["allOf"][1]
    assert adam["if"]["properties"]["_target_"]["const"] == "keras.optimizers.Adam"
    rate, clip = (adam["then"]["properties"][name] for name in ("learning_rate", "clipnorm"))
    assert rate["anyOf"][0]["exclusiveMinimum"] == 0
    assert clip["description"] == "greatest norm of each weight's gradient"
    assert "adamw" in definitions["optimizer"]["description"]


def test_own_options_are_described_as_well(tmp_path: Path) -> None:
    (tmp_path / "optimizer").mkdir()
    text = "# Mine.\n# dltrain optimizer=mine\n_target_: my_optimizers.Mine\nstrength: 1.0 # how much\n"
    (tmp_path / "optimizer" / "mine.yaml").write_text(text)
    found = shipped_with(tmp_path)["definitions"]["optimizer.node"]
    assert "my_optimizers.Mine" in found["properties"]["_target_"]["examples"]
    own = next(
        each
        for each in found["allOf"]
        if each["if"].get("properties", {}).get("_target_", {}).get("const", "")[:2] == "my"
    )
    assert own["then"]["properties"]["strength"]["description"] == "how much"
