"""model.keras alone, without this package, gives the predictions of the run from raw columns."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from dltrain.data import synthetic
from dltrain.experiment.stages import load_dataset
from dltrain.preprocessing.fit import raw_inputs

ROWS = 60
QUICK = ("callbacks=learning_rate", "score_test=always")
MLP = ("model.units=[3]",)
BENT = ("task=regression", "task.target_scaling=quantile")
TABLES = {
    "standard": ("scaling=standard", "imputation=median", "encoding=one_hot", *MLP),
    "minmax": ("scaling=minmax", "imputation=mean", "encoding=embedding", *MLP),
    "minmax_symmetric": ("scaling=minmax_symmetric", "imputation=most_frequent", "task=unit_regression", *MLP),
    "robust": ("scaling=robust", "imputation=constant", "imputation.value=1.7e9", "model=linear"),
    "quantile": ("scaling=quantile", "encoding=embedding", "encoding.minimum_count=3", "model=linear"),
    "none": ("scaling=none", "imputation.indicators=false", "regularizer=l2", "model=linear", *BENT),
}
MADE_UP = {
    "text": ("dataset.kind=text", "dataset.problem=multiclass", "model=text_bag", "text.ngrams=2"),
    "ngrams": ("dataset.kind=text", "dataset.problem=multiclass", "model=text_linear", "text=ngrams"),
    "characters": ("dataset.kind=text", "dataset.problem=regression", "model=text_linear", "text=characters"),
    "weighted_bag": ("dataset.kind=text", "model=text_bag", "text=ngrams", "model.naive_bayes=true"),
    "tf_idf": ("dataset.kind=text", "model=linear", "text=tf_idf"),
    "text_cnn": ("dataset.kind=text", "model=text_cnn", "model.filters=2", "text.sequence_length=14"),
    "text_rnn": ("dataset.kind=text", "model=text_rnn", "model.recurrent_units=2", "text.sequence_length=14"),
    "text_transformer": ("dataset.kind=text", "model=text_transformer", "text.sequence_length=14"),
    "image": ("dataset.kind=image", "dataset.problem=binary", "dataset.image_size=4", "model=linear"),
    "convolutions": (
        "dataset.kind=image",
        "dataset.channels=3",
        "model=cnn",
        "model.filters=[4]",
        "model.residual=true",
        "augmentation=[standard,mixup]",
    ),
    "grey_convolutions": (
        *("dataset.kind=image", "dataset.problem=multiclass", "model=cnn", "model.filters=[4]"),
        *("normalization=instance", "scaling=minmax"),
    ),
    "efficientnet": (
        *("dataset.kind=image", "dataset.image_size=32", "dataset.channels=3", "dataset.rows=30"),
        *("model=efficientnet", "model.weights=none"),
    ),
    "augmented_efficientnet": (
        *("dataset.kind=image", "dataset.image_size=32", "dataset.rows=30", "dataset.problem=multiclass"),
        *("model=efficientnet", "model.weights=none", "augmentation=cutout"),
    ),
    "members": ("model=tabular", "model.ensemble=3", "model.units=[4,3]", "scaling=robust_smooth_clip"),
    "bounded": ("model=tabular", "model.ensemble=2", "dataset.problem=regression", "encoding=embedding"),
    "in_waves": ("model=tabular", "model.numeric_embedding=periodic", "dataset.problem=unit_regression"),
    "deviation": ("task=gaussian_regression", "model=tabular", "model.units=[3]", "dataset.problem=regression"),
    "passes": (
        *("task=gaussian_regression", "task.monte_carlo_dropout=3", "dataset.problem=regression"),
        *("model.dropout=0.5", "normalization=batch", *MLP),
    ),
    "passes_of_members": (
        *("task=gaussian_regression", "task.monte_carlo_dropout=2", "dataset.problem=regression"),
        *("model=tabular", "model.units=[3,2]", "model.ensemble=2"),
    ),
    "neighbors": ("model=modern_nca", "model.neighbors=20", "dataset.problem=multiclass", "encoding=embedding"),
    "neighbors_of_quantities": ("model=modern_nca", "dataset.problem=regression", "trainer.precision=float32"),
    "mixed_neighbors": ("model=modern_nca", "dataset.problem=regression", "trainer.precision=mixed_bfloat16"),
    "labels": ("dataset.problem=multilabel", "model=linear"),
    "mixed": ("trainer.precision=mixed_bfloat16", "model.units=[4]"),
    "mixed_members": ("trainer.precision=mixed_bfloat16", "model=tabular", "dataset.problem=regression"),
    "mixed_words": ("trainer.precision=mixed_bfloat16", "dataset.kind=text", "model=text_transformer"),
    "mixed_image": ("trainer.precision=mixed_bfloat16", "dataset.kind=image", "model=cnn", "model.filters=[2]"),
    "ensemble": ("dataset.problem=multiclass", "model=linear", "cv=kfold", "cv.folds=2", "cv.ensemble=true"),
}

# Its backbone is a small one: that of "efficientnet" is EfficientNet's own.
SMALL_BACKBONE = "augmented_efficientnet"

# Reads what was sent and answers with the models' own words: nothing of dltrain is imported.
SCRIPT = """
import pathlib, sys
import keras, numpy, tensorflow
for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    model = keras.models.load_model(folder / "model.keras", safe_mode=True)
    raw = dict(numpy.load(folder / "raw.npz"))
    inputs = {name: tensorflow.constant(cells.tolist() if cells.dtype.kind == "U" else cells,
                                        dtype=model.input[name].dtype) for name, cells in raw.items()}
    numpy.save(folder / "answers.npy", model(inputs).numpy())
    numpy.save(folder / "single.npy", model({name: cells[:1] for name, cells in inputs.items()}).numpy())
    # Keras turns arrays that are given to `predict` into 32 bits, but not those of a dataset.
    rows = tensorflow.data.Dataset.from_tensor_slices(inputs).batch(32)
    numpy.save(folder / "predicted.npy", model.predict(rows, verbose=0))
assert not [name for name in sys.modules if name.startswith("dltrain")]
"""


def write_table(path: Path) -> Path:
    generator = np.random.default_rng(0)
    number = generator.standard_normal(ROWS).round(3)
    gaps = np.where(generator.random(ROWS) < 0.2, np.nan, 1.7e9 + 1e4 * generator.standard_normal(ROWS)).round()
    # Names of which most are met once, so that the validation and test rows have some that the train rows lack.
    names = [f"name {value}" if value else None for value in generator.integers(0, 50, ROWS)]
    ports = generator.choice(["S", "C", 'Ö, "x"', None], ROWS)
    columns = {"number": number, "gaps": gaps, "name": names, "port": ports}
    target = 1 / (1 + np.exp(-number - (ports == "S")))
    pd.DataFrame({**columns, "target": target}).to_csv(path, index=False)
    return path


def overrides_of(name: str, table: Path) -> tuple[str, ...]:
    if name in MADE_UP:
        return (*MADE_UP[name], *QUICK)
    kinds = ("+dataset.kinds.name=category", "+dataset.kinds.port=category")
    task = [] if any(word.startswith("task=") for word in TABLES[name]) else ["task=regression"]
    return ("dataset=csv", f"dataset.path={table}", "dataset.target=target", *kinds, *task, *TABLES[name], *QUICK)


@pytest.mark.slow
def test_raw_rows_give_the_predictions_of_the_run(
    run_in: Any, compose_config: Any, make_journal: Any, tmp_path: Path, small_backbone: Any
) -> None:
    # All models in one test: one process without this package reads them back.
    root = tmp_path / "runs"
    table = write_table(tmp_path / "table.csv")
    names = (*TABLES, *MADE_UP)
    for name in names:
        overrides = overrides_of(name, table)
        with pytest.MonkeyPatch.context() as patch:
            if name == SMALL_BACKBONE:
                patch.setattr(keras.applications, "EfficientNetB0", small_backbone)
            run_in(root / name, *overrides)
        dataset = load_dataset(compose_config(*overrides).dataset, make_journal())
        raw = {
            column: cells.astype(str) if cells.dtype == object else cells
            for column, cells in raw_inputs(dataset).items()
        }
        np.savez(root / name / "raw.npz", **raw)
    script = tmp_path / "reload.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, "-I", script, root], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    for name in names:
        check_answers(root / name)
    check_cells(root / "standard")


def check_answers(folder: Path) -> None:
    """What the reloaded model said is what the run says."""
    table = pd.read_csv(folder / "predictions.csv").sort_values("row_id")
    answers = np.load(folder / "answers.npy")
    assert list(table["row_id"]) == list(range(len(answers)))
    columns = [column for column in table if column.startswith("probability_")] or ["prediction"]
    columns += [column for column in table if column == "standard_deviation"]
    # The one unit of a binary task is the second class.
    expected = table[columns[-1:] if answers.shape[1] == 1 else columns].to_numpy()
    # In 16 bits a graph rounds elsewhere than its operations one by one.
    within = 0.03 if folder.name.startswith("mixed") else 1e-6
    close = {"rtol": within, "atol": within, "err_msg": folder.name}
    np.testing.assert_allclose(answers, expected, **close)
    np.testing.assert_allclose(np.load(folder / "predicted.npy"), expected, **close)
    np.testing.assert_allclose(np.load(folder / "single.npy"), expected[:1], **close)
    assert answers.std(axis=0).min() > 0


def check_cells(folder: Path) -> None:
    """The rows that the model did not train on have missing cells and words that it does not know."""
    raw = np.load(folder / "raw.npz")
    parts = pd.read_csv(folder / "predictions.csv").sort_values("row_id")["part"].to_numpy()
    train, rest = parts == "train", parts != "train"
    assert np.isnan(raw["gaps"][rest]).any()
    assert (raw["port"][rest] == "").any()
    assert set(raw["name"][rest].ravel()) - set(raw["name"][train].ravel())


def test_answers_between_bounds_are_in_the_targets_units(
    run_in: Any, compose_config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = synthetic.load

    def ratings(**keys: Any) -> Any:
        made = load(**keys)
        return dataclasses.replace(made, target={"target": 1 + 9 * made.target["target"]}, target_range=(1.0, 10.0))

    monkeypatch.setattr(synthetic, "load", ratings)
    overrides = ("dataset.problem=unit_regression", "model=linear", *QUICK)
    run = run_in(tmp_path, *overrides)
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert table["prediction"].between(1, 10).all()
    assert table["target"].between(1, 10).all()
    assert np.sqrt(((table["target"] - table["prediction"])[table["part"] == "test"] ** 2).mean()) == pytest.approx(
        run.results.metrics["test"]["rmse"], rel=1e-5
    )
    model = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    dataset = ratings(**{k: v for k, v in compose_config(*overrides).dataset.items() if k != "_target_"})
    answers = np.asarray(model(raw_inputs(dataset)))[:, 0]
    np.testing.assert_allclose(answers, table.sort_values("row_id")["prediction"], rtol=1e-6)
