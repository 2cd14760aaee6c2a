"""The pictures that set the jobs of a sweep side by side."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from dltrain.record.record import Record
from dltrain.report import callback_pictures
from dltrain.report.job import RecordedJob, differ_in_time
from dltrain.report.sweep import write_sweep_report
from dltrain.sweeps.ledger import Entry
from dltrain.sweeps.summary import summarise


def write_job(sweep: Path, number: int, words: list[str], *, wild: bool = False, **facts: Any) -> Entry:
    job = sweep / str(number)
    job.mkdir(parents=True)
    falling = [1.0 / (epoch + number + 1) for epoch in range(4)]
    metrics = {
        "best_epoch": 3,
        "best_value": falling[2],
        "train": {"loss": 0.2, "accuracy": 0.9},
        "validation": {"loss": falling[2], "accuracy": facts.get("accuracy", 0.5 + 0.1 * number)},
    }
    if "interval" in facts:
        metrics |= {"test": {"accuracy": 0.8}, "intervals": {"test": {"accuracy": facts["interval"]}}}
    metrics |= facts.get("metrics", {})
    (job / "metrics.json").write_text(json.dumps(metrics))
    told = {"seconds_per_epoch": facts.get("pace"), "steps_per_epoch": facts.get("steps")}
    if "ran" in facts:
        told |= {
            name: f"2026-01-01T00:00:{second:02}"
            for name, second in zip(("started", "finished"), facts["ran"], strict=True)
        }
    (job / "run.json").write_text(json.dumps({"status": "completed", **told, **facts.get("facts", {})}))
    rate = facts.get("rate", 0.1)
    rows = ["epoch,learning_rate,loss,val_loss"]
    rows += [f"{n},{rate / n},{1e6 if wild and n == 1 else value},{value}" for n, value in enumerate(falling, 1)]
    (job / "history.csv").write_text("\n".join(rows) + "\n")
    if "layers" in facts:
        bins = {"first": -1.0, "shares": [0.5, 0.5], "zero": 0.0, "sd": 1.0}
        layer = {"outputs": bins, "gradients": {**bins, "shares": [], "zero": 1.0}}
        names = [f"dense_{number}", "head"]
        found = {"before": [{"name": name, **layer} for name in names]}
        if "kernel" in facts:
            found["kernels"] = {"after": facts["kernel"]}
        (job / "layers.json").write_text(json.dumps(found))
    return Entry(str(number), overrides=words, status="completed", monitor="val_loss", value=falling[2], seconds=1.0)


def pictures(sweep: Path, jobs: list[Entry]) -> dict[str, str]:
    (sweep / "sweep.jsonl").write_text("".join(f"{json.dumps(asdict(entry))}\n" for entry in jobs))
    summarise(sweep, DictConfig({"search": None}), quiet=True)
    write_sweep_report(sweep)
    return {file.stem: file.read_text() for file in (sweep / "plots").glob("*.svg")}


def test_curves_of_all_settings_with_their_learning_rates(tmp_path: Path) -> None:
    jobs = [write_job(tmp_path, n, [f"schedule={name}"], wild=n == 0) for n, name in enumerate(("step", "cosine"))]
    found = pictures(tmp_path, jobs)
    assert {"side_by_side"} == {name for name in found if name in ("side_by_side", "over_setting", "crossed", "tried")}
    for word in (
        "schedule step",
        "schedule cosine",
        "whole line: validation, dashed: train; mark: best epoch, stroke: last",
        "learning rate",
    ):
        assert f">{word}</text>" in found["side_by_side"]
    assert "0.3333 with schedule step, 0.2500 with schedule cosine" in found["side_by_side"]


def test_time_of_an_epoch_where_it_differs(tmp_path: Path) -> None:
    jobs = [write_job(tmp_path, n, [f"a={n}"], rate=0, pace=pace) for n, pace in enumerate((1.0, 0.01))]
    assert "seconds an epoch" in pictures(tmp_path, jobs)["side_by_side"]


def test_scores_over_a_number_with_the_intervals_of_the_test_part(tmp_path: Path) -> None:
    jobs = [
        write_job(tmp_path, n, [f"rows={rows}"], interval=[0.5 + 0.1 * n, 0.9])
        for n, rows in enumerate((1000, 100, 10000))
    ]
    found = pictures(tmp_path, jobs)["over_setting"]
    assert "validation from 0.6000 to 0.7000" in found  # from 100 to 10,000 rows
    assert "interval is 0.3000 wide at first, 0.2000 at last" in found


def test_two_settings_crossed_and_two_numbers_as_a_plane(tmp_path: Path) -> None:
    pairs = [(kind, size) for kind in ("batch", "layer") for size in (2, 64)]
    words = [[f"normalization={kind}", f"trainer.batch_size={size}"] for kind, size in pairs]
    found = pictures(tmp_path / "one", [write_job(tmp_path / "one", n, each) for n, each in enumerate(words)])
    assert "normalization=layer" not in found["crossed"]
    assert "trainer.batch_size=64: 0.6000 with batch, 0.8000 with layer" in found["crossed"]
    words = [[f"optimizer.learning_rate={10.0**-n}", f"optimizer.momentum={0.1 * n}"] for n in range(1, 5)]
    found = pictures(tmp_path / "two", [write_job(tmp_path / "two", n, each) for n, each in enumerate(words)])
    assert "4 jobs tried 4 values of optimizer.learning_rate" in found["tried"]
    assert "crossed" not in found


def test_layers_of_each_setting(tmp_path: Path) -> None:
    jobs = [write_job(tmp_path, n, [f"initializer={name}"], layers=True) for n, name in enumerate(("zeros", "he"))]
    found = pictures(tmp_path, jobs)["layer_spreads"]
    assert ">layer 1</text>" in found  # Keras' own numbers go on from job to job
    assert "all zero" in found


def test_lines_and_panels_over_the_key_with_the_most_numbers(tmp_path: Path) -> None:
    grid = itertools.product(("none", "batch"), (0.001, 0.1, 1.0), ("[8,8]", "[8,8,8]"))
    jobs = [
        write_job(tmp_path, n, [f"normalization={one}", f"optimizer.learning_rate={two}", f"model.units={three}"])
        for n, (one, two, three) in enumerate(grid)
        if n != 11  # one that failed leaves a gap
    ]
    found = pictures(tmp_path, jobs)["over_setting"]
    assert "accuracy of the validation part over optimizer.learning_rate" in found
    assert "normalization none, layers 2: 0.5000 at 0.001, 0.7000 at 0.1, 0.9000 at 1" in found
    for word in ("layers 2", "layers 3", "normalization batch", "whole line: validation, dashed: train"):
        assert f">{word}</text>" in found


def test_lists_of_equal_numbers_are_units_and_layers(tmp_path: Path) -> None:
    sizes = ("[2]", "[4]", "[8]", "[2,2]", "[4,4]", "[8,8]")
    jobs = [write_job(tmp_path, n, [f"model.units={size}"]) for n, size in enumerate(sizes)]
    found = pictures(tmp_path, jobs)["over_setting"]
    assert "layers 2: 0.8000 at 2, 0.9000 at 4" in found
    assert ">model.units, each layer</text>" in found


def test_same_loss_by_epochs_steps_and_seconds(tmp_path: Path) -> None:
    jobs = [
        write_job(tmp_path, n, [f"trainer.batch_size={size}"], pace=0.5 / size, steps=64 // size)
        for n, size in enumerate((1, 8))
    ]
    found = pictures(tmp_path, jobs)["paces"]
    # The losses fall from 1 to 1/4, and from 1/2 to 1/5.
    assert "a mark is where a job reaches 0.2500" in found
    assert "trainer.batch_size 1: 4 epochs, 256 steps, 2 s; trainer.batch_size 8: 3 epochs" in found
    alike = [write_job(tmp_path / "alike", n, [f"a={n}"], pace=0.5, steps=8) for n in range(2)]
    assert "paces" not in pictures(tmp_path / "alike", alike)


def test_jobs_that_ran_at_the_same_time(tmp_path: Path) -> None:
    spans = ((0, 10), (1, 8), (10, 15))
    jobs = [write_job(tmp_path, n, [f"a={n}"], ran=span) for n, span in enumerate(spans)]
    assert (
        "up to 2 at the same time, 15 s in all, where one after another takes 22 s"
        in pictures(tmp_path, jobs)["timeline"]
    )
    one_by_one = [write_job(tmp_path / "one", n, [f"a={n}"], ran=(5 * n, 5 * n + 5)) for n in range(2)]
    assert "timeline" not in pictures(tmp_path / "one", one_by_one)


def test_four_cases_of_bias_and_variance(tmp_path: Path) -> None:
    cases = itertools.product(("[2]", "[64]"), (150, 1797))
    scores = ((0.5, 0.3), (0.5, 0.48), (1.0, 0.8), (1.0, 0.98))
    jobs = []
    for n, ((units, rows), (train, validation)) in enumerate(zip(cases, scores, strict=True)):
        jobs.append(write_job(tmp_path, n, [f"model.units={units}", f"rows={rows}"], accuracy=validation))
        metrics = json.loads((tmp_path / str(n) / "metrics.json").read_text())
        metrics["train"]["accuracy"] = train
        (tmp_path / str(n) / "metrics.json").write_text(json.dumps(metrics))
    found = pictures(tmp_path, jobs)["four_cases"]
    for case in (
        "rows 150: 0.5000 and 0.7000, bias and variance",
        "rows 1797: 0.5000 and 0.5200, bias:",
        "units [64], rows 150: 0.0000 and 0.2000, variance",
        "units [64], rows 1797: 0.0000 and 0.0200, neither",
    ):
        assert case in found


def test_scores_of_parts_of_jobs_that_differ_in_the_split(tmp_path: Path) -> None:
    jobs = [write_job(tmp_path, n, [f"split.column={name}"], interval=[0.7, 0.9]) for n, name in enumerate("ab")]
    found = pictures(tmp_path, jobs)["scores_of_parts"]
    assert "split.column b: train 0.9000, validation 0.6000, test 0.8000." in found
    for words in ("split.column a", "validation 0.5000", "test 0.8000"):
        assert f">{words}</text>" in found
    others = [write_job(tmp_path / "others", n, [f"rows={n}"], interval=[0.7, 0.9]) for n in (1, 2)]
    assert "scores_of_parts" not in pictures(tmp_path / "others", others)


def test_checkpoints_by_epochs_steps_and_samples(tmp_path: Path) -> None:
    counts = {"every_epochs": 2, "every_steps": 50, "every_samples": 2000}
    jobs = [
        write_job(
            tmp_path,
            n,
            [f"callbacks.checkpoint={{{name}: {count}}}"],
            steps=12,
            metrics={"epochs": 10},
            facts={"batch_size": 32, "settings": {f"callbacks.checkpoint.{name}": count}},
        )
        for n, (name, count) in enumerate(counts.items())
    ]
    found = pictures(tmp_path, jobs)["checkpoints"]
    assert "every 2 epochs: 5, the first after 24 steps; every 50 steps: 2, the first after 50 steps" in found
    assert ">every 2,000 samples: 1 checkpoint</text>" in found  # 62.5 steps, rounded up as the callback does


def test_answers_of_jobs_with_different_heads(tmp_path: Path) -> None:
    tables = {
        "binary": "target,prediction,probability_a,probability_b\n0,validation,b,b,0.2,0.8\n1,validation,a,a,0.9,0.1",
        "multilabel": "target_a,prediction_a,probability_a\n0,validation,1,0,0.25\n1,validation,0,0,0.5",
        "regression": "target,prediction\n0,validation,2.5,3\n1,validation,-1,-2",
    }
    jobs = []
    for n, (task, table) in enumerate(tables.items()):
        jobs.append(write_job(tmp_path, n, [f"dataset.problem={task}"], facts={"task": task}))
        classes = {"binary": ["a", "b"], "multilabel": ["a"]}.get(task, [])
        signature = {"columns": [], "made": {}, "target": ["target"], "task": task, "classes": classes}
        (tmp_path / str(n) / "signature.json").write_text(json.dumps(signature))
        (tmp_path / str(n) / "predictions.csv").write_text(f"row_id,part,{table}\n")
    found = pictures(tmp_path, jobs)["answers"]
    assert (
        "dataset.problem multilabel: from 0.2500 to 0.5000; dataset.problem regression: from -2.0000 to 3.0000" in found
    )
    for words in ("sigmoid, 1 unit", "no activation, 1 unit", "is not so", "true label", "true amount"):
        assert f">{words}</text>" in found
    (tmp_path / "1" / "predictions.csv").unlink()
    (tmp_path / "plots" / "answers.svg").unlink()
    assert "answers" not in pictures(tmp_path, jobs)


def test_weights_of_the_first_layer_as_squares_and_histograms(tmp_path: Path) -> None:
    kernels = ([[0.5, 0.5], [-0.25, -0.25]], [[0.1, 0.0], [0.0, 0.0]])
    jobs = [
        write_job(tmp_path, n, [f"initializer={name}"], layers=True, kernel=kernel)
        for n, (name, kernel) in enumerate(zip(("constant", "he"), kernels, strict=True))
    ]
    found = pictures(tmp_path, jobs)
    assert "initializer constant: 1 different units of 2" in found["kernels"]
    assert "initializer he: 2 different units of 2" in found["kernels"]
    assert "initializer he: 75% are zero" in found["weights"]


@pytest.mark.parametrize("missing", ["metrics.json", "run.json", "history.csv"])
def test_jobs_without_files_are_left_out(tmp_path: Path, missing: str) -> None:
    jobs = [write_job(tmp_path, n, [f"a={n}"]) for n in range(2)]
    (tmp_path / "0" / missing).unlink()
    assert "side_by_side" not in pictures(tmp_path, jobs)


def test_of_many_settings_the_best_eight_have_a_colour(tmp_path: Path) -> None:
    jobs = [write_job(tmp_path, n, [f"a={n}"]) for n in range(11)]
    found = pictures(tmp_path, jobs)["side_by_side"]
    assert "The 8 best settings are in colour; grey is the validation of 3 others." in found
    assert ">3 others</text>" in found
    assert ">a 10</text>" in found
    assert ">a 2</text>" not in found


@pytest.mark.parametrize(
    ("epochs", "fastest", "medians", "differ"),
    [
        (20, (1.0, 1.2), (1.5, 1.6), False),
        (20, (1.0, 1.6), (1.5, 1.7), True),
        (3, (1.0, 1.6), (1.5, 1.7), False),
        (20, (1.0, 2.9), (None, None), False),  # of an earlier version
        (20, (1.0, 3.1), (None, None), True),
        (20, (1.0, None), (1.0, None), False),
    ],
)
def test_times_differ_by_more_than_noise(
    tmp_path: Path, epochs: int, fastest: tuple[Any, ...], medians: tuple[Any, ...], *, differ: bool
) -> None:
    jobs = []
    for place, (least, median) in enumerate(zip(fastest, medians, strict=True)):
        (tmp_path / str(place)).mkdir()
        told = {"seconds_per_epoch": least, "median_seconds_per_epoch": median}
        (tmp_path / str(place) / "run.json").write_text(json.dumps({"status": "completed"} | told))
        (tmp_path / str(place) / "metrics.json").write_text(json.dumps({"epochs": epochs}))
        jobs.append(RecordedJob({}, Record(tmp_path / str(place)), "val_loss", 0.5, place))
    assert differ_in_time(jobs) is differ


def test_what_lies_beyond_the_scale_of_the_layers_is_marked() -> None:
    shown = {"first": -12.0, "shares": [0.5, 0.5], "zero": 0.0, "sd": 1e-12}
    within = {"first": -1.0, "shares": [1.0], "zero": 0.0, "sd": 0.1}
    large = {"first": 6.0, "shares": [0.8], "zero": 0.2, "sd": 1e6}
    layers = [{"name": name, "outputs": shown, "gradients": within} for name in ("dense", "head")]
    layers[1]["gradients"] = large
    template = callback_pictures.layer_spreads({"before the training": layers}).template
    assert template.count("below 1e-8</text>") == 2
    assert template.count("above 1e4</text>") == 1
