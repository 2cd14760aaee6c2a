"""Damaged run directories through every verb that takes one."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from dltrain import verbs

from .outcomes import SHARES, Outcomes, part_of

HOW_MANY = 100
JUNK = ("null", "42", "[]", '""', "{}", "[1]", '{"a": ', "\x00", "nan", "[" * 100_000, "a: b: c", "- 1\n- 2", "é\ud800")
COMMANDS: dict[str, list[tuple[str, ...]]] = {
    "runs": [(".",), (".", "--json")],
    "compare": [("run", "good"), ("good", "run")],
    "report": [("run",)],
    "evaluate": [("run",), ("run", "--data", "rows.csv")],
    "predict": [("run", "--input", "rows.csv")],
    "export": [("run", "--format", "saved_model", "--output", "exported")],
    "serve": [("run",)],
    "resume": [("run",)],
    "reproduce": [("run", "--output", "again")],
}
NO_RUN = {"board", "check", "course", "doctor", "init", "plan", "schema", "why"}  # verbs that take none


def damage(run: Path, number: int) -> str:
    """Damages one or two files of a run, always the same for the same number, and says how."""
    chance = random.Random(number)
    told = []
    for _ in range(chance.choice([1, 1, 2])):
        files = sorted(file for file in run.rglob("*") if file.is_file() and "plots" not in file.parts)
        first = [file for file in files if file.parent == run and file.suffix in (".json", ".yaml", ".csv", ".keras")]
        file = chance.choice(first if chance.random() < 0.8 else files)
        how = chance.choice(["cut", "junk", "bytes", "gone", "folder", "value", "value"])
        content = file.read_bytes()
        if how == "cut":
            file.write_bytes(content[: chance.randrange(len(content) + 1)])
        elif how == "junk":
            file.write_bytes(chance.choice(JUNK).encode("utf-8", "surrogatepass"))
        elif how == "bytes":
            file.write_bytes(bytes(chance.randrange(256) for _ in range(chance.choice([0, 1, 2_000]))))
        elif how == "value" and file.suffix == ".json":
            file.write_text(json.dumps(with_another_value(json.loads(content), chance)))
        else:
            file.unlink()
            if how == "folder":
                file.mkdir()
        told.append(f"{file.relative_to(run)} {how}")
    return ", ".join(told)


def with_another_value(node: Any, chance: random.Random) -> Any:
    """Replaces, or leaves out, one value at any depth."""
    if isinstance(node, dict) and node:
        key = chance.choice([*node])
        if chance.random() < 0.3:
            return {name: value for name, value in node.items() if name != key}
        return {**node, key: with_another_value(node[key], chance)}
    return chance.choice([None, 42, -1, 1e308, "", "x", [], {}, [None], {"a": 1}, True])


def test_every_verb_is_attacked() -> None:
    assert {*COMMANDS} | NO_RUN == {*verbs.names()}


@SHARES
@pytest.mark.usefixtures("no_server")
def test_damaged_runs(
    finished: Path, capsys: pytest.CaptureFixture[str], working_directory: Path, share: float
) -> None:
    outcomes, numbers = Outcomes(capsys), part_of(range(HOW_MANY), share)
    shutil.copytree(finished, "good")
    header = ",".join(column["source"] for column in json.loads(Path("good/signature.json").read_text())["columns"])
    Path("rows.csv").write_text(f"{header},target\n" + f"{','.join('1' for _ in header.split(','))},0\n" * 20)
    for number in numbers:
        for verb, several in COMMANDS.items():
            for words in several:
                for folder in ("run", "again", "exported"):
                    shutil.rmtree(working_directory / folder, ignore_errors=True)
                shutil.copytree(finished, "run")
                told = damage(Path("run"), number)
                outcomes.of([verb, *words])
                if outcomes.faults and not outcomes.faults[-1].endswith(f"({told})"):
                    outcomes.faults[-1] += f" ({told})"
    outcomes.require_none(round(share * HOW_MANY) * len(COMMANDS))
