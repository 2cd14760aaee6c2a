"""Files from strangers: nothing in them is run, unpacked elsewhere, or obeyed by a spreadsheet or a terminal."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dltrain
from dltrain.base.errors import ConfigError, DataError
from dltrain.base.spreadsheet import FORMULA, NUMBER, neutral
from dltrain.cli.main import main
from dltrain.data import archive, source_file
from dltrain.record.record import Record

SOURCES = sorted(Path(dltrain.__file__).parent.rglob("*.py"))


def calls(name: str) -> list[tuple[Path, ast.Call]]:
    """Every call of a function or method of this name in the package."""
    found = []
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == name:
                found.append((file, node))
    return found


def keywords(call: ast.Call) -> dict[str, Any]:
    return {each.arg: getattr(each.value, "value", None) for each in call.keywords if each.arg}


class TestSource:
    def test_models_are_loaded_in_safe_mode_alone(self) -> None:
        found = calls("load_model")
        assert found
        for file, call in found:
            assert keywords(call).get("safe_mode") is True, file

    def test_arrays_are_read_without_pickle(self) -> None:
        found = [
            (file, call)
            for name in ("load", "read_array")
            for file, call in calls(name)
            if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in ("np", "numpy", "np.lib.format")
        ]
        assert found
        for file, call in found:
            assert keywords(call).get("allow_pickle") is False, file

    def test_nothing_is_unpickled_or_evaluated(self) -> None:
        for file in SOURCES:
            tree = ast.parse(file.read_text("utf-8"))
            imported = {
                name.name.split(".")[0]
                for node in ast.walk(tree)
                if isinstance(node, ast.Import)
                for name in node.names
            } | {str(node.module).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            found = imported & {"cloudpickle", "dill", "marshal", "pickle", "shelve"}
            if found and file.name == "loader.py":  # copies within the process, of what it has made itself
                assert not {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & {
                    *("pickle.load", "pickle.Unpickler"),
                    *(f"{each}.read_bytes" for each in ("path", "file")),
                }
                continue
            assert not found, file
        for name in (
            "eval",
            "exec",
            "read_pickle",
            "unsafe_load",
            "full_load",
            "extractall",
            "enable_unsafe_deserialization",
        ):
            assert [
                file for file, call in calls(name) if not isinstance(call.func, ast.Attribute) or name != "eval"
            ] == []

    def test_yaml_is_read_by_safe_loaders(self) -> None:
        for file, call in calls("load"):
            if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "yaml":
                assert ast.unparse(call.args[1]) == "_YAML_LOADER", file
                assert "CSafeLoader" in file.read_text("utf-8")


def test_model_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"unsafe|Lambda"):
        keras.models.load_model(tmp_path / "model.keras", safe_mode=True)


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['touch proof']", "a: !!python/name:os.system ''", "a: [", "\0"]
)
def test_config_of_a_run_makes_no_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        _ = Record(tmp_path).config
    assert not (tmp_path / "proof").exists()


def test_aliases_that_stand_for_more_than_the_memory_are_not_resolved(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
    (tmp_path / ".hydra").mkdir()
    for name in ("config.yaml", ".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml"):
        (tmp_path / name).write_text("\n".join(lines))
    (tmp_path / "run.json").write_text("{}")
    record = Record(tmp_path)
    with pytest.raises(ConfigError, match=r"config\.yaml' cannot be read: line 2 holds the alias \*a0; expected all"):
        _ = record.config
    assert (record.settings, record.choices) == ({}, {})


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ', "\xff"])
def test_record_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"run\.json' cannot be read"):
        _ = Record(tmp_path).facts


class TestArchives:
    def archive(self, path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
        with tarfile.open(path, "w:gz") as tar:
            for member, content in members:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return path

    def test_names_and_links_lead_nowhere(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret.txt"
        secret.write_text("secret")
        inside = tmp_path / "inside"
        inside.mkdir()
        link, device, hard = (
            tarfile.TarInfo("pos/1_9.txt"),
            tarfile.TarInfo("pos/2_9.txt"),
            tarfile.TarInfo("pos/3_9.txt"),
        )
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        device.type = tarfile.CHRTYPE
        hard.type, hard.linkname = tarfile.LNKTYPE, "../secret.txt"
        outside = tarfile.TarInfo("../../proof.txt")
        path = self.archive(inside / "a.tar.gz", (link, b""), (device, b""), (hard, b""), (outside, b"text"))
        before = sorted(tmp_path.rglob("*"))
        assert list(archive.read_files(path, lambda name: True)) == [("../../proof.txt", b"text")]
        assert sorted(tmp_path.rglob("*")) == before

    def test_bomb_is_not_unpacked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MOST_OF_A_FILE", 1_000)
        path = self.archive(tmp_path / "a.tar.gz", (tarfile.TarInfo("big.txt"), bytes(1_001)))
        with pytest.raises(DataError, match=r"big\.txt has 1,001 bytes"):
            list(archive.read_files(path, lambda name: True))
        monkeypatch.setattr(archive, "MOST_UNPACKED", 1_000)
        monkeypatch.setattr(archive, "MOST_RATIO", 1)
        with pytest.raises(DataError, match="unpacks to more than 1,000 bytes"):
            list(archive.read_files(path, lambda name: False))

    def test_table_that_unpacks_to_far_too_much(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(source_file, "LEAST_UNPACKED", 1_000)
        path = tmp_path / "table.csv.gz"
        path.write_bytes(gzip.compress(bytes(1_000_000)))
        with pytest.raises(DataError, match="unpacks to more than"):
            source_file.read_bytes(path)
        rows = "".join(f"{row},{row % 7}\n" for row in range(2_000)).encode()
        path.write_bytes(gzip.compress(rows))
        assert source_file.read_bytes(path) == rows


class TestSpreadsheet:
    @pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\r=1", "＝1", "-", "=", "-1+2"])
    def test_formula_becomes_text(self, text: str) -> None:
        assert neutral(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "a=b", "1", "-1", "+3.5", "-1e-9", ".5", "class_0", "日本"])
    def test_numbers_and_words_stay(self, text: str) -> None:
        assert neutral(text) == text

    @given(st.text())
    def test_is_reversible_and_never_a_formula(self, text: str) -> None:
        cell = neutral(text)
        assert cell.removeprefix("'") == text
        assert not cell.startswith(FORMULA) or NUMBER.fullmatch(cell)


def test_hostile_names_in_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    names = ["=HYPERLINK(1)", "\x1b[31mred[bold]"]
    with Path("table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["@id", "\x1b]0;owned\x07[red]a", "=b", "target"])
        writer.writerows([f"+id{row}", generator.random(), generator.random(), names[row % 2]] for row in range(40))
    words = ["dataset=csv", "dataset.path=table.csv", "dataset.target=target", "dataset.id_column='@id'"]
    quick = ["model=linear", "trainer.epochs=1", "~callbacks.tensorboard", "verbose=true", "hydra.run.dir=run"]
    assert main([*words, *quick]) == 0
    out, error = capfd.readouterr()
    assert "\x1b" not in out + error
    assert "\x07" not in out + error
    assert "\x1b" not in Path("run/dltrain.log").read_text()
    with Path("run/predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["target"].removeprefix("'") for row in rows} == set(names)
    assert all(row["row_id"].startswith("'+id") for row in rows)
    assert {row["target"][:1] for row in rows} == {"'", "\x1b"}
    assert json.loads(Path("run/run.json").read_text())["status"] == "completed"
    assert main([*words, *quick, "dataset.target='\x1b[31mx'", "hydra.run.dir=other"]) == 2
    assert "\x1b" not in capfd.readouterr().err
