"""A finished run in use gives the predictions of the run, whatever its task and its columns are."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import dltrain
from dltrain.base.errors import ConfigError, DataError
from dltrain.cli.main import main
from dltrain.experiment.stages import load_dataset

QUICK = ("score_test=always", "model=linear", "callbacks=learning_rate", "quiet=true")
RUNS = {
    "binary": ("dataset.problem=binary",),
    "multiclass": ("dataset.problem=multiclass", "encoding=embedding"),
    "multilabel": ("dataset.problem=multilabel",),
    "regression": ("dataset.problem=regression", "scaling=quantile"),
    "unit_regression": ("dataset.problem=unit_regression",),
    "text": ("dataset.kind=text", "model=text_bag"),
    "image": ("dataset.kind=image", "dataset.image_size=4"),
}


@pytest.fixture(scope="module")
def runs(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    for name, overrides in RUNS.items():
        given = {word.split("=")[0] for word in overrides}
        run_in(root / name, *overrides, *[word for word in QUICK if word.split("=")[0] not in given])
    return root


@pytest.fixture(scope="module")
def titanic(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with engineered columns, and its table beside it as raw.csv."""
    root = tmp_path_factory.mktemp("titanic")
    generator = np.random.default_rng(0)
    rows = 80
    sex = generator.choice(["male", "female"], rows)
    frame = pd.DataFrame(
        {
            "PassengerId": np.arange(1, rows + 1),
            "Survived": np.where(generator.random(rows) < 0.8, sex == "female", sex == "male").astype(int),
            "Pclass": generator.integers(1, 4, rows),
            "Name": [f"Doe, {'Mr' if each == 'male' else 'Mrs'}. {n}" for n, each in enumerate(sex)],
            "Sex": sex,
            "Age": np.where(generator.random(rows) < 0.2, np.nan, generator.integers(1, 80, rows)),
            "SibSp": generator.integers(0, 3, rows),
            "Parch": generator.integers(0, 3, rows),
            "Ticket": "A 1",
            "Fare": generator.random(rows) * 50,
            "Cabin": generator.choice(["C12", "B1", None], rows),
            "Embarked": generator.choice(["S", "C"], rows),
        }
    )
    frame.to_csv(root / "raw.csv", index=False)
    overrides = ("dataset=titanic", f"dataset.path={root / 'raw.csv'}", "dataset.engineered=true", *QUICK)
    run_in(root / "run", *overrides)
    return root


def raw_frame(run: Path) -> pd.DataFrame:
    """The run's dataset as a frame of raw columns with the target, by row id."""
    journal: Any = type("Told", (), {"note": lambda *_: None})()
    dataset = load_dataset(dltrain.load(run).record.config.dataset, journal)
    columns = {name: list(cells) if cells.ndim > 1 else cells for name, cells in dataset.columns.items()}
    return pd.DataFrame({**columns, **dataset.target}, index=dataset.row_ids)


def test_rows_get_the_predictions_of_the_run(runs: Path) -> None:
    for name in RUNS:
        expected = pd.read_csv(runs / name / "predictions.csv", index_col="row_id")
        raw = raw_frame(runs / name)
        found = dltrain.load(runs / name).predict(raw.loc[expected.index])
        wanted = [column for column in expected if column != "part" and not column.startswith("target")]
        assert list(found) == wanted, name
        for column in wanted:
            if pd.api.types.is_float_dtype(expected[column]):
                np.testing.assert_allclose(found[column], expected[column], rtol=1e-6, atol=1e-6, err_msg=name)
            else:
                assert list(found[column]) == list(expected[column]), name


def test_scoring_of_the_own_test_part_is_that_of_the_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in RUNS:
        scorings = len(json.loads((runs / name / "run.json").read_text())["test_scorings"])
        assert main(["evaluate", str(runs / name), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        expected = json.loads((runs / name / "metrics.json").read_text())
        assert set(found["metrics"]) == set(expected["test"])
        for metric, value in expected["test"].items():
            assert found["metrics"][metric]["value"] == pytest.approx(value, rel=1e-4, abs=1e-6), (name, metric)
        accuracy = found["metrics"].get("accuracy")
        assert accuracy is None or accuracy["low"] <= accuracy["value"] <= accuracy["high"]
        assert found["rows_of_train"] == 0
        recorded = json.loads((runs / name / "run.json").read_text())["test_scorings"]
        assert len(recorded) == scorings + 1
        assert recorded[-1]["data"] == "the run's test part"
        assert len(recorded[-1]["sha256"]) == 64


def test_raw_file_of_the_training_layout_is_read(titanic: Path, tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    raw = str(titanic / "raw.csv")
    words = ["predict", str(titanic / "run"), "--input", raw, "--id-column", "PassengerId", "--output", str(output)]
    assert main(words) == 0
    found = pd.read_csv(output, index_col="row_id")
    expected = pd.read_csv(titanic / "run" / "predictions.csv", index_col="row_id").sort_index()
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found["probability_1"], expected["probability_1"], rtol=1e-6, atol=1e-6)
    assert list(found["prediction"]) == list(expected["prediction"])


def test_every_format_gives_the_same_answers(titanic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv(titanic / "raw.csv")
    frame.to_csv(tmp_path / "raw.csv.gz", index=False)
    frame.to_csv(tmp_path / "raw.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "blank.csv", index=False, sep=";", encoding="utf-16")
    frame.to_parquet(tmp_path / "raw.parquet")
    frame.to_json(tmp_path / "raw.jsonl", orient="records", lines=True)
    (tmp_path / "quoted.csv").write_text((titanic / "raw.csv").read_text().replace(',"', ', "'))
    expected = dltrain.load(titanic / "run").predict(frame)
    for place, name in enumerate(sorted(path.name for path in tmp_path.iterdir())):
        file_format = ("csv", "jsonl", "parquet")[place % 3]
        output = tmp_path / f"answers.{file_format}"
        words = ["predict", str(titanic / "run"), "--input", str(tmp_path / name), "--output", str(output)]
        assert main(words) == 0, capsys.readouterr().err
        read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda path: pd.read_json(path, lines=True)}
        found = read[file_format](output)  # type: ignore[operator]
        assert list(found["row_id"]) == list(range(len(frame)))
        np.testing.assert_allclose(
            found["probability_1"], expected["probability_1"], rtol=1e-6, atol=1e-7, err_msg=name
        )
        assert list(found["prediction"].astype(str)) == list(expected["prediction"])
        output.unlink()


def test_what_is_unknown_or_extra_is_told(titanic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv(titanic / "raw.csv")
    frame["Embarked"] = ["Q", "X", "X"] + ["S"] * (len(frame) - 3)
    frame.loc[0, "Age"] = 200.0
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert main(["predict", str(titanic / "run"), "--input", str(tmp_path / "new.csv")]) == 0
    told = capsys.readouterr().err
    assert "ignored: PassengerId, Survived, Ticket" in told
    assert "Survived is the target" in told
    assert "embarked: 3 values the model does not know ('X', 'Q')" in told
    assert "age: 1 value lie" in told or "age: 1 value lies" in told


FAULTS = {
    "absent": ("age", None, "has no column 'age', which the model takes"),
    "word": ("Age", "abc", "new.csv line 4, column 'age': expected a number, got 'abc'"),
    "infinite": ("Fare", "inf", "new.csv line 4, column 'fare' is infinite"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_rows_are_named(fault: str, titanic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    column, cell, sentence = FAULTS[fault]
    frame = pd.read_csv(titanic / "raw.csv").astype(object)
    if cell is None:
        frame = frame.drop(columns=["Age"])
    else:
        frame.loc[2, column] = cell
    frame.to_csv(tmp_path / "new.csv", index=False)
    output = tmp_path / "answers.csv"
    words = ["predict", str(titanic / "run"), "--input", str(tmp_path / "new.csv"), "--output", str(output)]
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv"]


def test_ragged_and_damaged_files_are_refused(
    titanic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (titanic / "raw.csv").read_text()
    bad = {
        "ragged.csv": (text + "1,2\n").encode(),
        "empty.csv": b"",
        "header.csv": text.splitlines()[0].encode() + b"\n",
        "cut.csv.gz": b"\x1f\x8b\x08\x00abc",
        "no.parquet": b"PAR1 and nothing",
        "no.jsonl": b'{"age": 1}\nabc\n',
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        assert main(["predict", str(titanic / "run"), "--input", str(tmp_path / name)]) == 2, name
        assert name in capsys.readouterr().err
    assert main(["predict", str(titanic / "run"), "--input", str(tmp_path / "raggd.csv")]) == 2
    assert "Did you mean 'ragged.csv'?" in capsys.readouterr().err


def test_cells_that_look_like_formulas_are_made_harmless(run_in: Any, tmp_path: Path) -> None:
    rows = 60
    target = ["=1+1", "@no"] * (rows // 2)
    frame = pd.DataFrame(
        {"number": np.arange(rows) % 7 + 0.5, "answer": target, "key": [f"-k{n}" for n in range(rows)]}
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    words = (f"dataset.path={tmp_path / 'table.csv'}", "dataset.target=answer", "dataset.id_column=key")
    run_in(tmp_path / "run", "dataset=csv", *words, *QUICK)
    output = tmp_path / "answers.csv"
    assert (
        main(["predict", str(tmp_path / "run"), "--input", str(tmp_path / "table.csv"), "--output", str(output)]) == 0
    )
    found = pd.read_csv(output)
    assert found["row_id"].str.startswith("'-k").all()
    assert found["prediction"].isin(["'=1+1", "'@no"]).all()


def test_texts_and_images_come_as_files(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import tensorflow as tf

    (tmp_path / "texts").mkdir()
    (tmp_path / "images").mkdir()
    texts = raw_frame(runs / "text")["text"].head(3)
    images = np.stack(list(raw_frame(runs / "image")["image"].head(3)))
    for place in range(3):
        (tmp_path / "texts" / f"{place}.txt").write_text(texts[place])
        (tmp_path / "images" / f"{place}.png").write_bytes(tf.io.encode_png(images[place]).numpy())
    for kind in ("text", "image"):
        assert main(["predict", str(runs / kind), "--input", str(tmp_path / f"{kind}s"), "--format", "jsonl"]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        expected = pd.read_csv(runs / kind / "predictions.csv", index_col="row_id").loc[[0, 1, 2]]
        assert [row["row_id"] for row in rows] == [f"{n}.{'txt' if kind == 'text' else 'png'}" for n in range(3)]
        found = [row["probability_class_1"] for row in rows]
        np.testing.assert_allclose(found, expected["probability_class_1"], rtol=1e-6, atol=1e-6)
    (tmp_path / "images" / "3.png").write_bytes(b"no image")
    assert main(["predict", str(runs / "image"), "--input", str(tmp_path / "images")]) == 0
    printed = capsys.readouterr()
    assert printed.out.endswith('"3.png",,,\n')
    assert "no prediction of 1 row, since the image cannot be read: 3.png (" in printed.err


def test_groups_are_scored_apart(titanic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = str(titanic / "raw.csv")
    assert main(["evaluate", str(titanic / "run"), "--data", raw, "--by", "sex", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == 80
    assert found["rows_of_train"] >= 48
    assert any("train row of this run" in note for note in found["notes"])
    frame = pd.read_csv(raw)
    answers = dltrain.load(titanic / "run").predict(frame)["prediction"].astype(int)
    for group, rows in frame.groupby("Sex").groups.items():
        right = (answers[rows] == frame["Survived"][rows]).mean()
        assert found["groups"][group]["rows"] == len(rows)
        assert found["groups"][group]["metrics"]["accuracy"]["value"] == pytest.approx(right)
    assert main(["evaluate", str(titanic / "run"), "--data", raw, "--by", "age", "--csv"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0] == "group,rows,metric,value,low,high"
    assert len(table) == 1 + 3 * (1 + 5)


def test_evaluate_refuses_what_has_no_target(titanic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv(titanic / "raw.csv")
    model = dltrain.load(titanic / "run")
    with pytest.raises(DataError, match="no column 'survived'"):
        model.evaluate(frame.drop(columns="Survived"))
    with pytest.raises(DataError, match="target 'survived' is '2'"):
        model.evaluate(frame.assign(Survived=2))
    with pytest.raises(DataError, match="no column 'colour'"):
        model.evaluate(frame, by="colour")
    with pytest.raises(DataError, match="No row"):
        model.evaluate(frame.assign(Survived=np.nan))
    half = model.evaluate(frame.assign(Survived=frame["Survived"].where(frame.index < 40)))
    assert half.rows == 40
    assert "40 rows without a target" in " ".join(half.notes)


def test_a_run_that_is_none_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(tmp_path), "--input", "x.csv"]) == 2
    assert "holds no run" in capsys.readouterr().err
    (tmp_path / "run.json").write_text('{"status": "failed"}')
    with pytest.raises(ConfigError, match=r"signature\.json.*status of the run: failed"):
        dltrain.load(tmp_path)


def test_a_text_without_words_gets_an_answer(runs: Path) -> None:
    found = dltrain.load(runs / "text").predict(pd.DataFrame({"text": ["", None, "?!", "bada"]}))
    assert found["probability_class_1"].between(0, 1).all()
    assert found["probability_class_1"].nunique() <= 2


def test_empty_frame_gives_no_rows(runs: Path) -> None:
    found = dltrain.load(runs / "multiclass").predict(raw_frame(runs / "multiclass").head(0))
    assert len(found) == 0
    assert next(iter(found)) == "prediction"


def test_numbers_and_true_are_spelled_as_in_training(runs: Path) -> None:
    from dltrain.inference.row_inputs import spell

    assert [spell(cell, {"3"}) for cell in (3, 3.0, "3.0", " 3", "4.5", float("nan"))] == [
        "3", "3", "3", "3", "4.5", "",
    ]  # fmt: skip
    assert spell(True, {"True"}) == spell("true", {"True"}) == "True"


def test_blocks_are_read_in_pieces(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dltrain.data import arrow_files, delimited
    from dltrain.inference import model

    monkeypatch.setattr(delimited, "SAMPLE", 2_000)
    monkeypatch.setattr(model, "BYTES_AT_ONCE", 2_000)
    monkeypatch.setattr(arrow_files, "LEAST_ROWS", 7)
    monkeypatch.setitem(model.ROWS_AT_ONCE, "table", 9)
    raw = raw_frame(runs / "binary")
    raw.to_csv(tmp_path / "raw.csv", index=False)
    pa.parquet.write_table(pa.Table.from_pandas(raw, preserve_index=False), tmp_path / "raw.parquet")
    expected = dltrain.load(runs / "binary").predict(raw)
    for name in ("raw.csv", "raw.parquet"):
        output = tmp_path / "answers.csv"
        assert main(["predict", str(runs / "binary"), "--input", str(tmp_path / name), "--output", str(output)]) == 0
        found = pd.read_csv(output)
        assert list(found["row_id"]) == list(range(len(raw)))
        np.testing.assert_allclose(found["probability_class_1"], expected["probability_class_1"], rtol=1e-6, atol=1e-6)


OWN_LAYER = """
import keras

@keras.saving.register_keras_serializable("own_layer")
class Halved(keras.layers.Layer):
    def call(self, numbers):
        return numbers / 2

def scale(rows):
    return Halved()
"""


def test_layers_of_ones_own_module_are_found_or_the_cause_is_told(
    run_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "own_layer.py"
    module.write_text(OWN_LAYER)
    monkeypatch.syspath_prepend(str(tmp_path))
    run_in(tmp_path / "run", "dataset.problem=binary", *QUICK, "scaling._target_=own_layer.scale")
    rows = raw_frame(tmp_path / "run").iloc[:3]

    def answers() -> list[float]:
        keras.saving.get_custom_objects().pop("own_layer>Halved", None)  # as in a new process
        sys.modules.pop("own_layer", None)
        return list(dltrain.load(tmp_path / "run").predict(rows).iloc[:, -1])

    expected = pd.read_csv(tmp_path / "run" / "predictions.csv", index_col="row_id").loc[rows.index].iloc[:, -1]
    np.testing.assert_allclose(answers(), expected, rtol=1e-6)
    module.write_text(OWN_LAYER.replace('@keras.saving.register_keras_serializable("own_layer")', ""))
    with pytest.raises(ConfigError, match="'Halved' of 'own_layer', which does not register it"):
        answers()
    module.write_text("import no_such_package")
    with pytest.raises(ConfigError, match=r"cannot be imported .No module named 'no_such_package'"):
        answers()
