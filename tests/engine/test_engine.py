from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from dltrain.base.errors import RunError
from dltrain.engine import engine
from dltrain.engine.engine import Engine, has_batch_hooks
from dltrain.engine.step import not_compiled
from dltrain.preprocessing import rows as sources
from dltrain.preprocessing.rows import Resident, Streaming

ROWS, BATCH = 50, 16
STEPS = 4


def rows(seed: int, count: int = ROWS) -> tuple[dict[str, np.ndarray], np.ndarray]:
    values = np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32)
    return {"table": values}, (values @ np.array([[1.0], [-2.0], [0.5]], np.float32))


def source(kind: str, seed: int) -> Any:
    features, targets = rows(seed)
    if kind == "resident":
        return Resident(features, targets)
    return Streaming(lambda places: {"table": features["table"][places]}, targets)


def model(optimizer: Any = None) -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = {"table": keras.Input((3,), name="table")}
    made = keras.Model(inputs, keras.layers.Dense(1)(inputs["table"]))
    made.compile(optimizer or keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return made


class Logs(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append({**logs, "rate": float(self.model.optimizer.learning_rate)})


def train(
    kind: str,
    *callbacks: Any,
    epochs: int = 4,
    network: keras.Model | None = None,
    shuffle: bool = True,
    jit_compile: Any = "auto",
    **options: Any,
) -> list[dict[str, float]]:
    logs = Logs()
    engine = Engine(network or model(), batch_size=BATCH, shuffle=shuffle, seed=0, jit_compile=jit_compile)
    engine.train(source(kind, 0), source(kind, 1), epochs=epochs, callbacks=[*callbacks, logs], **options)
    return logs.epochs


@pytest.fixture(params=["resident", "streaming"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sources, "BLOCK_ROWS", 32)
    return str(request.param)


def test_order_depends_on_seed_and_epoch_alone() -> None:
    network = model()
    engine = Engine(network, batch_size=BATCH, shuffle=True, seed=3)
    again = Engine(network, batch_size=2, shuffle=True, seed=3)
    other = Engine(network, batch_size=BATCH, shuffle=True, seed=4)
    orders = [engine.order(epoch, ROWS) for epoch in range(3)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(ROWS))
    np.testing.assert_array_equal(again.order(2, ROWS), orders[2])
    assert len({tuple(order) for order in [*orders, other.order(0, ROWS)]}) == 4
    plain = Engine(network, batch_size=BATCH, shuffle=False, seed=3)
    np.testing.assert_array_equal(plain.order(5, ROWS), np.arange(ROWS))


def test_evaluate_equals_keras(kind: str) -> None:
    network = model()
    engine = Engine(network, batch_size=BATCH, shuffle=True, seed=0)
    features, targets = rows(1)
    found = engine.evaluate(source(kind, 1))
    assert found == pytest.approx(network.evaluate(features, targets, return_dict=True, verbose=0), rel=1e-6)


@pytest.mark.parametrize("count", [1, 2_500])
def test_predict_keeps_the_order_of_rows_and_drops_nothing_out(kind: str, count: int) -> None:
    features, targets = rows(2, count)
    inputs = {"table": keras.Input((3,), name="table")}
    network = keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Dense(2)(inputs["table"])))
    network.compile("sgd", "mse")
    made = (
        Resident(features, targets)
        if kind == "resident"
        else Streaming(lambda places: {"table": features["table"][places]}, targets)
    )
    answers = Engine(network, batch_size=BATCH, shuffle=True, seed=0).predict(made)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, features["table"] @ network.get_weights()[0], rtol=1e-4, atol=1e-5)


def test_step_that_xla_compiles_gives_the_same_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    function = tf.function

    def noted(*arguments: Any, **options: Any) -> Any:
        compiled.append(bool(options.get("jit_compile")))
        return function(*arguments, **options)

    monkeypatch.setattr(tf, "function", noted)
    plain = train("resident")
    assert not any(compiled)
    by_xla = train("resident", jit_compile=True)
    assert any(compiled)
    for one, other in zip(plain, by_xla, strict=True):
        assert one == pytest.approx(other, rel=1e-5)


def test_step_that_xla_cannot_compile_is_an_error_for_people() -> None:
    class Python(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return tf.ensure_shape(tf.py_function(lambda values: values, [inputs], tf.float32), inputs.shape)

    inputs = keras.Input((3,), name="table")
    network = keras.Model({"table": inputs}, keras.layers.Dense(1)(Python()(inputs)))
    network.compile("sgd", "mse")
    with pytest.raises(RunError, match=r"^trainer.jit_compile=true: XLA does not compile .* Expected auto or false.$"):
        train("resident", network=network, jit_compile=True)


def test_the_error_of_xla_names_its_reason_and_the_other_way_out() -> None:
    message = """Graph execution error:

    Detected at node gradient_tape/MaxPoolGrad defined at (most recent call last):
    <stack traces unavailable>
    GPU MaxPool gradient ops do not yet have a deterministic XLA implementation.
    [[{{node gradient_tape/MaxPoolGrad}}]]"""
    told = str(not_compiled(tf.errors.UnimplementedError(None, None, message)))
    assert "(GPU MaxPool gradient ops do not yet have a deterministic XLA implementation)" in told
    assert told.endswith("Expected auto or false, or trainer.deterministic=false.")


def test_later_first_epoch_goes_on_where_the_former_training_stopped(kind: str) -> None:
    whole = train(kind, epochs=4)
    network = model()
    parts = train(kind, epochs=2, network=network) + train(kind, epochs=4, network=network, first_epoch=2)
    assert parts == whole


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.callbacks.EarlyStopping(patience=0, min_delta=0.2, restore_best_weights=True),
        lambda: keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=1.0, factor=0.5),
    ],
    ids=["early_stopping", "reduce_on_plateau"],
)
def test_callbacks_of_keras_do_what_they_do_in_fit(kind: str, make: Any) -> None:
    found = train(kind, make(), epochs=8, shuffle=False)
    network, logs, callback = model(), Logs(), make()
    network.fit(
        *rows(0),
        batch_size=BATCH,
        epochs=8,
        shuffle=False,
        validation_data=rows(1),
        callbacks=[callback, logs],
        verbose=0,
    )
    assert len(found) == len(logs.epochs)
    for one, other in zip(found, logs.epochs, strict=True):
        assert one == pytest.approx(other, rel=1e-5)
    if isinstance(callback, keras.callbacks.EarlyStopping):
        assert len(found) < 8
    else:
        assert found[-1]["rate"] < found[0]["rate"]


def test_callback_that_stops_ends_the_training_after_its_epoch(kind: str) -> None:
    class Stop(keras.callbacks.Callback):
        ended = False

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs: Any = None) -> None:
            self.ended = "val_loss" in logs

    stop = Stop()
    assert len(train(kind, stop, epochs=9)) == 2
    assert stop.ended


def test_callback_that_stops_at_a_step_ends_the_epoch_there_as_in_fit(kind: str) -> None:
    steps: list[int] = []
    network = model()

    def step_done(step: int, logs: Any) -> None:
        steps.append(step)
        network.stop_training = step == 1

    history = train(kind, keras.callbacks.LambdaCallback(on_train_batch_end=step_done), network=network)
    assert steps == [0, 1]
    assert len(history) == 1
    assert "val_loss" in history[0]


class Subclass(keras.callbacks.Callback):
    """Hooks as methods of a class; `LambdaCallback` has them as attributes of the object."""

    def __init__(self, ends: list[tuple[int, dict[str, float]]]) -> None:
        super().__init__()
        self.ends = ends

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.ends.append((batch, dict(logs)))


@pytest.mark.parametrize("form", ["class", "lambda"])
def test_batch_hooks_are_called_once_a_step_and_change_nothing(kind: str, form: str) -> None:
    begins: list[int] = []
    ends: list[tuple[int, dict[str, float]]] = []
    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_begin=lambda step, logs: begins.append(step))]
    if form == "class":
        callbacks.append(Subclass(ends))
    else:
        callbacks.append(
            keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: ends.append((step, dict(logs))))
        )
    assert all(has_batch_hooks(callback) for callback in callbacks)
    history = train(kind, *callbacks, epochs=2)
    assert begins == [step for step, _ in ends] == [*range(STEPS)] * 2
    assert all(set(logs) == {"loss", "mae"} and np.isfinite(list(logs.values())).all() for _, logs in ends)
    assert history == train(kind, epochs=2)
    # The logs of the last step hold the metrics of the whole epoch so far.
    assert ends[STEPS - 1][1]["mae"] == history[0]["mae"]


def test_callbacks_without_batch_hooks_cost_no_calls() -> None:
    assert not has_batch_hooks(keras.callbacks.EarlyStopping())
    assert not has_batch_hooks(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None))


def test_callbacks_that_count_steps_are_called_at_each_multiple(kind: str) -> None:
    steps: list[tuple[int, int]] = []

    class Counting(keras.callbacks.Callback):
        every_steps = 3

        def on_steps_end(self, step: int) -> None:
            steps.append((step, int(self.model.optimizer.iterations)))

    history = train(kind, Counting(), epochs=4)
    assert steps == [(step, step) for step in (3, 6, 9, 12, 15)]
    assert history == train(kind, epochs=4)


def test_weights_that_are_not_finite_end_the_training() -> None:
    features, targets = rows(0)
    features["table"][7, 1] = np.nan
    engine = Engine(model(), batch_size=BATCH, shuffle=True, seed=0)
    with pytest.raises(RunError, match=r"diverged in epoch 1: loss .*, learning rate 0\.1.*learning_rate=0\.01"):
        engine.train(Resident(features, targets), source("resident", 1), epochs=3, callbacks=[])


def test_model_with_a_loop_in_a_graph_function_of_its_own_trains(kind: str) -> None:
    @tf.function(autograph=False)
    def doubled(tensor: Any) -> Any:
        body = lambda step, values: (step + 1, 2 * values)  # noqa: E731
        return tf.while_loop(lambda step, values: step < 3, body, [tf.constant(0), tensor])[1]

    class Doubling(keras.layers.Layer):
        def call(self, tensor: Any) -> Any:
            return doubled(tensor)

    def made(layer: Any) -> keras.Model:
        keras.utils.set_random_seed(1)
        inputs = {"table": keras.Input((3,), name="table")}
        network = keras.Model(inputs, layer(keras.layers.Dense(1)(inputs["table"])))
        network.compile(keras.optimizers.SGD(1e-4), "mse")
        return network

    found = train(kind, network=made(Doubling()))
    expected = train(kind, network=made(keras.layers.Rescaling(8.0)))
    assert [epoch["loss"] for epoch in found] == pytest.approx([epoch["loss"] for epoch in expected], rel=1e-5)


ONE_THREAD = """
import keras, numpy
from dltrain.engine.engine import Engine
from dltrain.engine.step import not_compiled
from dltrain.preprocessing.rows import Resident
inputs = {"table": keras.Input((3,), name="table")}
model = keras.Model(inputs, keras.layers.Dense(1)(inputs["table"]))
model.compile("sgd", "mse")
rows = Resident({"table": numpy.ones((50, 3), "float32")}, numpy.ones((50, 1), "float32"))
Engine(model, batch_size=16, shuffle=True, seed=0).train(rows, rows, epochs=2, callbacks=[])
"""


@pytest.mark.slow
def test_training_does_not_wait_for_itself_on_a_machine_of_one_core() -> None:
    # The threads of TensorFlow are fixed once it is loaded, so that this needs a process of its own.
    one = os.environ | {"TF_NUM_INTEROP_THREADS": "1"}
    subprocess.run([sys.executable, "-c", ONE_THREAD], env=one, check=True, timeout=240, capture_output=True)


def test_steps_of_a_call_are_measured_and_told_and_change_no_number(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = train("resident", Logs())
    caplog.set_level("DEBUG", "dltrain")
    monkeypatch.setattr(engine, "FIRST_SEGMENT", 1)
    monkeypatch.setattr(engine, "SEGMENT_SECONDS", 1_000)  # of which a step is a small part on any machine
    assert train("resident", Logs()) == whole
    assert "steps in one call from here on" in caplog.text
