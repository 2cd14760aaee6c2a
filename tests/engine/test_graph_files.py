from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import dltrain
from dltrain.data.storage import fingerprint
from dltrain.engine import graph_files, shared_graphs

KINDS = (
    *(("text", each) for each in ("text_bag", "text_cnn", "text_rnn", "text_transformer")),
    ("image", "cnn"),
    ("table", "tabular"),
)
SMALL = ("model.units=[3]", "model.dropout=0.3", "trainer.epochs=2")
# What is written, read and refused does not depend on the network.
PLAIN = ("model=linear", "dataset.problem=regression")


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, forget_graphs: Callable[[], None]) -> Path:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    forget_graphs()
    return tmp_path / "data" / "graphs"


@pytest.fixture
def traced(graph_log: Any) -> list[str]:
    """The names of the functions that were traced."""
    return graph_log.traced


def numbers(stage_of: Any, train_stage: Any, path: Path, *overrides: str) -> tuple[Any, Any, Any]:
    path.mkdir()
    stage = stage_of(*(() if "model=linear" in overrides else SMALL), *overrides)
    training = train_stage(stage, path)
    state = [np.array(variable) for variable in (*stage.network.variables, *stage.network.optimizer.variables)]
    return training.history, training.engine.predict(stage.data.source("validation")), state


@pytest.fixture(scope="module")
def written(
    stage_of: Any, train_stage: Any, tmp_path_factory: pytest.TempPathFactory, forget_graphs: Callable[[], None]
) -> tuple[Any, dict[str, bytes]]:
    """The numbers of a plain training, and the files of graphs that it leaves."""
    path = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLTRAIN_DATA_DIR", str(path / "data"))
        forget_graphs()
        found = numbers(stage_of, train_stage, path / "run", *PLAIN)
    files = {each.name: each.read_bytes() for each in (path / "data" / "graphs").iterdir()}
    assert len(files) == 3
    heads = [zlib.decompress(each[32:]).partition(b"\n")[0] for each in files.values()]
    assert sorted(json.loads(each)["optimized"] for each in heads) == [False, True, True]  # predicting is not compared
    return found, files


def put(files: dict[str, bytes], folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("regularizer=l1_l2", "schedule=cosine", "optimizer=sgd", "seed=2"),
        ("encoding=embedding", "task=binary", "task.class_weight=balanced"),
        *(
            pytest.param((f"dataset.kind={kind}", f"model={model}", "model.dropout=0.3"), marks=pytest.mark.slow)
            for kind, model in KINDS
        ),
        pytest.param(("trainer.jit_compile=true", "optimizer=nadam"), marks=pytest.mark.slow),
        pytest.param(
            ("trainer.precision=mixed_bfloat16", "task=gaussian_regression", "dataset.problem=regression"),
            marks=pytest.mark.slow,
        ),
    ],
    ids=" ".join,
)
def test_a_graph_that_is_read_gives_the_numbers_of_one_that_is_traced(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    graph_log: Any,
    overrides: tuple[str, ...],
    forget_graphs: Callable[[], None],
) -> None:
    first = numbers(stage_of, train_stage, tmp_path / "1", *overrides)
    assert sorted(graph_log.traced) == ["predict", "test_alone", "train"]
    assert graph_log.read == []
    forget_graphs()
    second = numbers(stage_of, train_stage, tmp_path / "2", *overrides)
    assert len(graph_log.traced) == 3
    assert sorted(graph_log.read) == ["predict", "test_alone", "train"]
    assert second[0] == first[0]
    for one, other in zip([first[1], *first[2]], [second[1], *second[2]], strict=True):
        np.testing.assert_array_equal(one, other)


def test_folds_and_other_rates_read_it_too(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    traced: list[str],
    forget_graphs: Callable[[], None],
) -> None:
    columns = ("dataset.missing=0", "dataset.category_columns=0")  # the same ones with every seed
    other = (*columns, "model.dropout=0.6", "optimizer.learning_rate=0.1", "seed=3")
    fresh = numbers(stage_of, train_stage, tmp_path / "1", *other)
    forget_graphs()
    numbers(stage_of, train_stage, tmp_path / "2", *columns)
    again = numbers(stage_of, train_stage, tmp_path / "3", *other)
    assert len(traced) == 3
    assert again[0] == fresh[0]
    np.testing.assert_array_equal(again[1], fresh[1])


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(tf, "__version__", "0"),
        lambda patch: patch.setattr(keras, "__version__", "0"),
        lambda patch: patch.setattr(keras.config, "epsilon", lambda: 0.1),
        lambda patch: patch.setattr(graph_files, "OWN_CODE", "other"),
        lambda patch: patch.setattr(shared_graphs, "is_deterministic", lambda: "other"),
    ],
    ids=["tensorflow", "keras", "epsilon", "own code", "determinism"],
)
def test_what_decides_a_graph_makes_another_file(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    traced: list[str],
    folder: Path,
    written: Any,
    change: Any,
) -> None:
    put(written[1], folder)
    change(monkeypatch)
    numbers(stage_of, train_stage, tmp_path / "1", *PLAIN)
    assert len(traced) == 3
    assert len(list(folder.iterdir())) == 6


def test_own_code_is_told_by_its_files() -> None:
    assert fingerprint(Path(dltrain.__file__).parent, ending=".py") == graph_files.OWN_CODE


def test_a_user_without_a_home_trains_all_the_same(
    stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traced: list[str]
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", "~nobodyhere/data")
    numbers(stage_of, train_stage, tmp_path / "1", *PLAIN)
    assert len(traced) == 3


def signed(body: bytes) -> bytes:
    return hashlib.sha256(body).digest() + body


def inside(change: Any) -> Any:
    """A change of what is told and of the functions, with a digest that fits."""

    def damage(old: bytes) -> bytes:
        head, _, functions = zlib.decompress(old[32:]).partition(b"\n")
        told, functions = change(json.loads(head), functions)
        return signed(zlib.compress(json.dumps(told).encode() + b"\n" + functions))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda old: old[:-1],
        lambda old: b"",
        lambda old: old[:-1] + bytes([old[-1] ^ 1]),
        lambda old: signed(old[32:-9]),
        lambda old: signed(old[32:60] + bytes([old[60] ^ 1]) + old[61:]),
        lambda old: signed(zlib.compress(b"nothing that was told\n")),
        inside(lambda told, functions: (told, b"")),
        inside(lambda told, functions: (told, functions[:-9])),
        inside(lambda told, functions: (told, functions.replace(b"MatMul", b"MutMal").replace(b"Cast", b"Coat"))),
        inside(lambda told, functions: ([], functions)),
        inside(lambda told, functions: (told | {"difference": 1.0}, functions)),
        inside(lambda told, functions: (told | {"captured": [999, *told["captured"]]}, functions)),
        inside(lambda told, functions: (told | {"captured": [*told["captured"][:-1], 0, 0]}, functions)),
        inside(lambda told, functions: (told | {"results": {"loss": 99}}, functions)),
    ],
)
def test_a_damaged_file_is_written_anew(
    stage_of: Any, train_stage: Any, tmp_path: Path, traced: list[str], folder: Path, written: Any, damage: Any
) -> None:
    first, whole = written
    put({name: damage(content) for name, content in whole.items()}, folder)
    second = numbers(stage_of, train_stage, tmp_path / "1", *PLAIN)
    assert second[0] == first[0]
    assert len(traced) == 3
    assert {path.name: len(path.read_bytes()) > 100 for path in folder.iterdir()} == dict.fromkeys(whole, True)


def test_a_folder_that_cannot_be_written_does_no_harm(
    stage_of: Any, train_stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traced: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "file"))
    numbers(stage_of, train_stage, tmp_path / "1", *PLAIN)
    assert len(traced) == 3


def test_a_file_of_somebody_else_is_read_too(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    graph_log: Any,
    folder: Path,
    written: Any,
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(path)

    put(written[1], folder)
    monkeypatch.setattr(Path, "touch", refused)
    numbers(stage_of, train_stage, tmp_path / "1", *PLAIN)
    assert (graph_log.traced, len(graph_log.read)) == ([], 3)


def test_the_file_that_was_not_read_for_longest_goes(
    stage_of: Any,
    train_stage: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    written: Any,
    forget_graphs: Callable[[], None],
) -> None:
    monkeypatch.setattr(graph_files, "MOST_KEPT", 4)
    first = put(written[1], folder)
    for path in first:
        os.utime(path, (1, 1))
    numbers(stage_of, train_stage, tmp_path / "1", *PLAIN)
    assert all(path.stat().st_mtime > 1 for path in first)
    for age, path in enumerate(first):
        os.utime(path, (age + 1, age + 1))
    forget_graphs()
    numbers(stage_of, train_stage, tmp_path / "2", *PLAIN, "dataset.problem=binary")
    assert len(list(folder.iterdir())) == 4
    assert [path.exists() for path in first] == [False, False, True]


class OwnLayer(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2


def test_what_has_parts_from_elsewhere_is_not_kept(folder: Path) -> None:
    inputs = keras.Input((2,), name="table")
    model = keras.Model({"table": inputs}, keras.layers.Dense(1)(OwnLayer()(inputs)))
    model.compile("sgd", "mse")
    shared_graphs.graphs_of(model, None, {"predict": lambda rows: model({"table": rows})}).function(
        "predict", [tf.zeros((2, 2))], model
    )
    assert not folder.exists()


@pytest.mark.parametrize(
    "function",
    [
        lambda variable: lambda rows: rows + tf.numpy_function(lambda: np.float32(1), [], tf.float32),
        lambda variable: lambda rows: rows + variable,
        lambda variable: lambda rows: rows + tf.convert_to_tensor(np.float32(3)) * tf.zeros(()),
    ],
    ids=["python", "foreign variable", "constant"],
)
def test_what_holds_something_of_this_process_is_not_read_by_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch, function: Any, forget_graphs: Callable[[], None]
) -> None:
    inputs = keras.Input((2,), name="table")
    model = keras.Model({"table": inputs}, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    rows = tf.ones((2, 2))
    functions = {"predict": function(tf.Variable(1.0))}
    graph = shared_graphs.graphs_of(model, None, functions).function("predict", [rows], model)
    assert graph is not None
    expected = graph(rows)
    forget_graphs()
    again = shared_graphs.graphs_of(model, None, functions).function("predict", [rows], model)
    assert again is not None
    np.testing.assert_array_equal(again(rows), expected)
