"""What a page computes in plain JavaScript, against Keras: every model, task, option of preprocessing and layer."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.base.errors import ConfigError
from dltrain.config.tasks import TASKS
from dltrain.data.column_reading import ColumnReading
from dltrain.data.dataset import Dataset
from dltrain.exporting import program_steps
from dltrain.exporting.trace import program_of
from dltrain.models.calibrated import with_curves, with_temperature
from dltrain.models.ensemble import average
from dltrain.models.monte_carlo import with_passes
from dltrain.models.network import artifact
from dltrain.pages.render import source
from dltrain.preprocessing.fit import raw_inputs

SCRIPT = "exporting/program.js"
PROBLEMS = {"gaussian_regression": "regression", "quantile_regression": "regression"}
MODELS = (
    ("model=linear",),
    ("model=mlp", "model.units=[4,3]"),
    ("model=tabular", "model.units=[4,3]", "model.ensemble=3"),
)
# Each goes with one of the models and one of the tasks.
PREPROCESSING = (
    *[(f"scaling={name}",) for name in ("none", "minmax", "minmax_symmetric", "robust", "robust_smooth_clip")],
    ("scaling=quantile", "scaling.quantiles=7"),
    *[(f"imputation={name}",) for name in ("mean", "most_frequent")],
    ("imputation=median", "imputation.indicators=false"),
    ("imputation=constant", "imputation.value=-1"),
    ("encoding=embedding",),
    ("encoding=embedding", "encoding.dimension=3"),
    ("encoding=one_hot", "encoding.embedding_above=2"),
    ("encoding=one_hot", "encoding.minimum_count=20"),
    ("dataset.category_columns=0", "dataset.missing=0"),
    ("dataset.numeric_columns=0",),
    (),
    ("scaling=quantile", "imputation=mean"),
)
NETWORKS = (
    *[("model=mlp", "model.units=[8]", f"normalization={name}") for name in ("batch", "layer", "group")],
    ("model=mlp", "model.units=[8]", "normalization=batch", "model.normalization_position=after_activation"),
    ("model=mlp", "model.units=[4]", "model.linear_path=true", "encoding=embedding"),
    ("model=mlp", "model.units=[4]", "dataset.problem=regression", "task=regression", "task.target_scaling=quantile"),
    ("model=tabular", "model.units=[4]", "model.linear_path=false", "model.bin_edges=quantile"),
    ("model=modern_nca", "model.neighbors=20", "encoding=embedding"),
    ("model=tabular", "model.units=[4]", "model.numeric_embedding=periodic", "model.frequencies=3"),
    ("model=tabular", "model.units=[]", "model.numeric_embedding=none", "model.ensemble=1"),
    ("model=tabular", "model.units=[4]", "model.feature_scaling=false", "model.clamp=false", "model.ensemble=2"),
)
CELLS = {
    "year_month_day": ("2019-02-28", "2020-02-29T23:45", "2021-12-31 06:07:08"),
    "day_month_year": ("28.2.19", "29/02/2020 11:45 pm", "31-12-1970 12:00 am"),
    "month_day_year": ("2/28/69", "02/29/2020 11:45 AM", "12/31/68"),
    "named_month": ("28 Feb 2019", "february 29, 2020", "31-Dec-2021 06:07"),
}


def test_what_a_page_cannot_compute_is_named() -> None:
    given = keras.Input((3, 2), name="x")
    for output, reason in (
        (keras.layers.LSTM(2)(given), "it has a layer LSTM"),
        (keras.layers.Dense(1, activation="glu")(given), "it has an activation glu"),
        (keras.ops.sort(given), "it has an operation Sort"),
        (keras.layers.Dense(1, dtype="mixed_bfloat16")(given), r"it counts with 16 bits \(bfloat16\)"),
        (
            keras.layers.BatchNormalization(axis=1)(given),
            "its layer BatchNormalization '.*' has options that",
        ),
        (keras.layers.Dense(200_000)(keras.layers.Dense(3)(given)), "its numbers take more than 2 MB"),
    ):
        with pytest.raises(ConfigError, match=reason):
            program_of(keras.Model({"x": given}, output))


def vary(network: keras.Model) -> None:
    """Gives each weight another value, since many start as 0 or 1."""
    random = np.random.default_rng(0)
    network.set_weights([each + random.uniform(-0.3, 0.3, each.shape) for each in network.get_weights()])


class Case:
    """A model with rows, what Keras answers to them and what the page must compute."""

    def __init__(self, model: keras.Model, dataset: Dataset) -> None:
        raw = {name: tf.constant(cells) for name, cells in raw_inputs(dataset).items()}
        self.expected = np.asarray(model(raw, training=False))
        self.rows = {name: cells.tolist() for name, cells in dataset.columns.items()}
        self.steps = program_of(model).steps


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = browser.new_page()
        opened.add_script_tag(content=source(SCRIPT))
        yield opened
        browser.close()


def check(page: Any, case: Case) -> None:
    found = np.array(page.evaluate("([program, rows]) => compile(program)(rows)", [case.steps, case.rows]))
    assert found.shape == case.expected.shape
    assert np.std(case.expected) > 1e-4
    np.testing.assert_allclose(found, case.expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_page_knows_the_steps_that_python_writes_and_no_others(page: Any) -> None:
    written = Path(program_steps.__file__).read_text("utf-8")
    given = {*re.findall(r'(?:\.add|_along|_reduction)\(\s*"(\w+)"', written), *program_steps.ELEMENTWISE}
    assert {*page.evaluate("Object.keys(STEPS)")} == given


@pytest.mark.slow
def test_page_answers_as_keras_whatever_the_options(page: Any, stage_of: Any) -> None:
    tasks = [(f"task={task}", f"dataset.problem={PROBLEMS.get(task, task)}") for task in TASKS]
    pairs = list(itertools.product(MODELS, tasks))
    assert len(pairs) >= len(PREPROCESSING)
    # Where there are more pairs than options of the preprocessing, the first options come again.
    mixed = [(*model, *task, *more) for (model, task), more in zip(pairs, itertools.cycle(PREPROCESSING), strict=False)]
    for words in (*mixed, *NETWORKS):
        stage = stage_of(*words)
        vary(stage.network)
        # Row 0 lacks each cell, and row 1 has words that the model does not know.
        rows = stage.data.raw("validation").take(np.arange(8))
        columns = {name: cells.copy() for name, cells in rows.columns.items()}
        for name, cells in columns.items():
            missing, strange = (np.nan, 1e3) if rows.kinds[name] == "numeric" else ("", "never seen")
            cells[:2] = missing, strange
        try:
            check(page, Case(artifact(stage.data.preprocessing, stage.network), replace(rows, columns=columns)))
        except AssertionError as error:
            raise AssertionError(f"{' '.join(words)}: {error}") from error


@pytest.mark.slow
@pytest.mark.parametrize("order", CELLS)
def test_page_reads_dates_as_keras(page: Any, stage_of: Any, make_dataset: Any, order: str) -> None:
    cells = np.array([*CELLS[order], ""] * 10, dtype=object)
    dataset = make_dataset(
        {"when": cells, "x": np.arange(40.0)}, kinds={"when": "date"}, readings={"when": ColumnReading(dates=order)}
    )
    stage = stage_of("model=linear", "dataset.rows=40", dataset=dataset)
    vary(stage.network)
    check(page, Case(artifact(stage.data.preprocessing, stage.network), dataset))


@pytest.mark.slow
def test_page_averages_members_folds_and_passes_as_keras(page: Any, stage_of: Any) -> None:
    for task in ("binary", "gaussian_regression"):
        words = ("model=mlp", "model.units=[4]", f"task={task}", f"dataset.problem={PROBLEMS.get(task, task)}")
        stages = [stage_of(*words), stage_of(*words, "seed=3")]
        models = []
        for number, stage in enumerate(stages):
            vary(stage.network)
            network = with_passes(stage.network, 3, 0) if task == "gaussian_regression" else stage.network
            models.append(artifact(stage.data.preprocessing, network, name=f"fold_{number}"))
        check(page, Case(average(models, TASKS[task]), stages[0].data.raw("validation")))


@pytest.mark.slow
def test_page_calibrates_as_keras(page: Any, stage_of: Any) -> None:
    for name in ("binary", "multiclass", "multilabel"):
        stage = stage_of("model=linear", f"task={name}", f"dataset.problem={name}")
        vary(stage.network)
        model, task = artifact(stage.data.preprocessing, stage.network), TASKS[name]
        curve = (np.array([0.1, 0.5, 0.50001, 0.9]), np.array([0.0, 0.2, 0.7, 0.95]))
        curves = [curve, *[(np.array([0.2, 0.8]), np.array([0.1, 0.9]))] * (model.output.shape[1] - 1)]
        for calibrated in (with_temperature(model, task, 2.5), with_curves(model, task, curves)):
            check(page, Case(calibrated, stage.data.raw("validation")))


@pytest.mark.slow
def test_page_knows_each_activation(page: Any) -> None:
    values = np.concatenate([np.linspace(-9, 9, 181), [0.0]])
    for name in program_steps.ELEMENTWISE:
        function = getattr(keras.activations, name, None)
        if function is None:
            continue
        given = keras.Input((1,), name="x", dtype="float64")
        model = keras.Model({"x": given}, keras.layers.Activation(name, dtype="float64")(given))
        found = page.evaluate("([program, x]) => compile(program)({x})", [program_of(model).steps, values.tolist()])
        np.testing.assert_allclose(np.array(found), np.asarray(model({"x": values[:, None]})), atol=1e-6, err_msg=name)
