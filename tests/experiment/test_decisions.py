from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError, DataError
from dltrain.config.seed import Seed
from dltrain.config.tasks import TASKS
from dltrain.data.targets import Target
from dltrain.experiment.decisions import Decisions, HeldOut, decide, refuse_too_few, sentences
from dltrain.inference.model import Model

TRUTH = Target("binary", np.array([0, 1] * 60, np.float32), ("no", "yes"))
ANSWERS = np.random.default_rng(0).random((120, 1))


def test_nothing_is_decided_unless_asked_for(compose_config: Any) -> None:
    assert decide(compose_config(), HeldOut("validation", TRUTH, ANSWERS), Seed(1, 2)) == Decisions()
    assert decide(compose_config("conformal=0.9"), None, Seed(1, 2)) == Decisions()
    assert Decisions().as_json({}, {}, {}) == {}


@pytest.mark.parametrize(("fitted_on", "reason"), [("validation", "those of validation"), ("out-of-fold", "the folds")])
def test_a_coverage_that_breaks_its_promise_is_told(fitted_on: str, reason: str) -> None:
    def told(low: float, high: float) -> str:
        found = {"level": 0.9, "test": {"coverage": (low + high) / 2, "interval": [low, high], "mean_width": 2.0}}
        entry = {"rows": 60, "fitted_on": fitted_on, "conformal": found}
        return " ".join(sentences(entry, TASKS["regression"], in_time=False))

    assert "That is fewer than 90%" in told(0.03, 0.19)
    assert reason in told(0.03, 0.19)
    assert "fewer" not in told(0.80, 0.95)


@pytest.mark.parametrize(
    ("words", "rows", "sentence"),
    [
        (("conformal=0.99",), 98, "conformal=0.99: expected at least 99 validation rows, got 98."),
        (("calibration=auto",), 29, "calibration=auto: expected at least 30 validation rows, got 29."),
        (("calibration=isotonic",), 199, "calibration=isotonic: expected at least 200 validation rows, got 199."),
    ],
)
def test_too_few_rows_are_refused_with_the_number(
    compose_config: Any, words: tuple[str, ...], rows: int, sentence: str
) -> None:
    with pytest.raises(DataError) as caught:
        refuse_too_few(compose_config(*words), rows, "validation")
    assert sentence in str(caught.value)
    refuse_too_few(compose_config(*words), rows + 1, "validation")


def test_a_run_keeps_what_it_decided_in_its_model(run_in: Any, tmp_path: Path) -> None:
    run = run_in(
        tmp_path / "run",
        *("dataset=synthetic", "dataset.rows=200", "task=binary", "calibration=temperature", "threshold=cost"),
        *("threshold.false_negative_cost=3", "conformal=0.8", "model=linear"),
    )
    decided, found = run.json("metrics.json")["decisions"], run.json("signature.json")
    assert (decided["fitted_on"], decided["rows"]) == ("validation", 40)
    assert found["threshold"] == decided["threshold"]["value"] != 0.5
    assert found["conformal"] == {key: decided["conformal"][key] for key in ("level", "quantile", "rows")}
    assert decided["conformal"]["validation"]["coverage"] >= 0.8
    assert set(decided["calibration"]["before"]) == {"train", "validation", "test"}
    rows = [row for row in run.rows("predictions.csv") if row["part"] == "test"]
    second = [name for name in rows[0] if name.startswith("probability_")][1]
    label = second.removeprefix("probability_")
    for row in rows:
        assert (float(row[second]) > found["threshold"]) == (row["prediction"] == label)
        assert row["prediction"] in row["prediction_set"].split(" | ") or float(row[second]) < 0.5
    cost = decided["threshold"]["cost_per_row"]
    assert cost["chosen"]["validation"] <= cost["at_half"]["validation"]
    assert any("fitted" in note for note in run.json("metrics.json")["notes"])
    model = Model(run.path)
    names = [column.name for column in model.signature.columns]
    answers = model.predict([dict.fromkeys(names, 0.0), dict.fromkeys(names, 1.0)])
    assert "prediction_set" in answers


def test_task_that_is_found_in_the_data_refuses_too(run_in: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="calibration has no effect with task=regression"):
        run_in(tmp_path, "dataset=boston", "calibration=auto")


def test_quantiles_have_columns_of_their_own_and_conformal_ends(run_in: Any, tmp_path: Path) -> None:
    run = run_in(
        tmp_path / "run",
        *("dataset=synthetic", "dataset.problem=regression", "dataset.rows=200", "task=quantile_regression"),
        *(
            "model=tabular",
            "model.ensemble=2",
            "model.units=[4]",
            "task.quantiles=[0.1,0.8]",
            "conformal=0.8",
            "report=true",
        ),
    )
    assert run.json("signature.json")["quantiles"] == [0.5, 0.1, 0.8]
    for row in run.rows("predictions.csv"):
        assert float(row["quantile_0.1"]) <= float(row["prediction"]) <= float(row["quantile_0.8"])
        assert float(row["prediction_low"]) <= float(row["prediction"]) <= float(row["prediction_high"])
    answer = run.json("what_if.json")["answer"]
    assert (answer["names"], answer["quantiles"]) == (["prediction", "quantile 0.1", "quantile 0.8"], True)
    assert set(run.json("metrics.json")["test"]) == {"loss", "pinball", "coverage", "rmse", "mae"}
    model = Model(run.path)
    found = model.predict([dict.fromkeys([column.name for column in model.signature.columns], 0.0)])
    assert list(found) == ["prediction", "quantile_0.1", "quantile_0.8", "prediction_low", "prediction_high"]
