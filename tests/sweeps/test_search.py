from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from omegaconf import DictConfig

from dltrain.cli import main as cli
from dltrain.sweeps.ledger import Ledger
from dltrain.sweeps.ranking import settings_of
from dltrain.sweeps.samplers import CoarseToFineSampler, GaussianProcessSampler

from .conftest import leave_a_run

FakeRun = Callable[[Callable[[DictConfig], Any]], list[str]]
WHERE = "hydra.sweep.dir=here"
OTHERS = ("coarse_to_fine", "tpe", "median", "halving")


def bowl(config: DictConfig) -> float:
    """Best at a learning rate of 0.01."""
    value = (math.log10(config.optimizer.learning_rate) + 2) ** 2
    return leave_a_run(config, best_value=value, validation={"loss": value, "accuracy": 1 - value})


def drawn(key: str = "optimizer.learning_rate") -> list[str | None]:
    return [settings_of(entry).get(key) for entry in Ledger(Path("here")).entries()]


@pytest.mark.parametrize(
    "name",
    ["random", "bayesian", *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)],
)
def test_each_search_runs_its_jobs_and_goes_on(fake_run: FakeRun, name: str) -> None:
    ran = fake_run(bowl)
    words = [f"search={name}", "search/space=learning_rate", WHERE]
    more = ["search.sampler.startup_jobs=2"] if name == "bayesian" else []
    assert cli.main([*words, "search.jobs=4", *more]) == 0
    assert len(set(drawn())) == len(ran) == 4
    assert all(1e-4 <= float(rate or 0) <= 0.1 for rate in drawn())
    in_one_go = drawn()
    # Cut off after two jobs: the same jobs follow.
    ledger = Path("here/sweep.jsonl")
    ledger.write_text("".join(ledger.read_text().splitlines(keepends=True)[:2]))
    for job in ("2", "3"):
        Path("here", job, "run.json").write_text(json.dumps({"status": "running"}))
    assert cli.main([*words, "search.jobs=4", *more]) == 0
    assert drawn() == in_one_go
    assert ran[4:] == ["2", "3"]


def test_each_seed_draws_jobs_of_its_own(fake_run: FakeRun) -> None:
    fake_run(bowl)
    found = []
    for seed in (1, 2, 3):
        place = f"hydra.sweep.dir=seed_{seed}"
        assert cli.main(["search=random", "search.jobs=4", f"search.seed={seed}", place]) == 0
        entries = Ledger(Path(f"seed_{seed}")).entries()
        found += [settings_of(entry)["optimizer.learning_rate"] for entry in entries]
    assert len(set(found)) == 12


def test_more_jobs_extend_a_search(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(bowl)
    words = ["search=random", WHERE]
    assert cli.main([*words, "search.jobs=2"]) == 0
    assert cli.main([*words, "search.jobs=4"]) == 2
    assert "now, not there: search.jobs=4" in capsys.readouterr().err
    assert cli.main([*words, "search.jobs=4", "extend=true"]) == 0
    assert len(drawn()) == 4


def test_an_experiment_that_chooses_a_search_runs_it(fake_run: FakeRun) -> None:
    ran = fake_run(bowl)
    assert cli.main(["experiment=grid_search", "search.points=2", WHERE]) == 0
    assert len(ran) == 4


def test_grid_runs_every_combination_once(fake_run: FakeRun) -> None:
    fake_run(bowl)
    words = ["search=grid", "search.points=3", "search/space=learning_rate", "+search.space.seed.choices=[1,2]", WHERE]
    assert [cli.main(words), cli.main(words)] == [0, 0]
    assert drawn() == ["0.0001", "0.0001", "0.00316228", "0.00316228", "0.1", "0.1"]
    assert drawn("seed") == ["1", "2"] * 3


def test_a_space_without_further_points_ends(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    ran = fake_run(bowl)
    words = ["search=random", "+search.space.seed.choices=[1,2]", "~search.space.model", "~search.space.trainer", WHERE]
    assert cli.main([*words, "optimizer.learning_rate=0.1"]) == 0
    assert len(ran) == 2
    assert "no further point" in capsys.readouterr().out


def test_what_is_typed_is_not_drawn(fake_run: FakeRun) -> None:
    fake_run(bowl)
    assert cli.main(["search=random", "search.jobs=2", "optimizer.learning_rate=0.5", WHERE]) == 0
    assert drawn() == ["0.5", "0.5"]
    assert None not in drawn("trainer.batch_size")


def against(config: DictConfig) -> float:
    """The greater the learning rate, the greater loss and accuracy."""
    value = config.optimizer.learning_rate
    return leave_a_run(config, best_value=value, validation={"loss": value, "accuracy": value})


@pytest.mark.parametrize("several", [False, True])
def test_the_objective_decides_who_wins(fake_run: FakeRun, capsys: pytest.CaptureFixture[str], several: bool) -> None:
    fake_run(against)
    objectives = "[val_accuracy,parameters]" if several else "[val_accuracy]"
    words = ["search=grid", "search.points=3", "search/space=learning_rate", f"search.objectives={objectives}", WHERE]
    assert cli.main(words) == 0
    best = json.loads(Path("here/best.json").read_text())
    assert (best["job"], best["monitor"], best["direction"], best["value"]) == ("2", "val_accuracy", "max", 0.1)
    assert "optimizer.learning_rate=0.1" in best["command"]
    assert best.get("on_pareto_front") is (True if several else None)
    out = capsys.readouterr().out
    rows = [line.split()[0] for line in out[out.index("val_accuracy") :].splitlines()[1:4]]
    assert rows == ["2", "1", "0"]
    assert ("Pareto front  job 2: val_accuracy 0.1, parameters 10 (the winner, by val_accuracy)" in out) is several


def test_several_objectives_give_a_front(fake_run: FakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(bowl)
    words = ["search=bayesian", "search.jobs=5", "search.sampler.startup_jobs=3", "search/space=learning_rate"]
    assert cli.main([*words, "search.objectives=[val_loss,val_accuracy,parameters]", WHERE]) == 0
    front = json.loads(Path("here/best.json").read_text())["pareto_front"]
    assert len(front) == 1  # loss and accuracy agree here
    assert front[0]["val_accuracy"] == pytest.approx(1 - front[0]["val_loss"])
    assert f"Pareto front  job {front[0]['job']}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["search.objectives=[test_loss]"], "would choose by the test part"),
        (["search.objectives=[val_acuracy]"], "Did you mean 'val_accuracy'?"),
        (["search.objectives=[]"], "expected at least one"),
        (["search.objectives=[val_loss,val_loss]"], "expected each once, got 'val_loss' 2 times"),
        (["search=coarse_to_fine", "search.sampler.shrink=1.5"], "search.sampler.shrink: expected a number above 0"),
        (["search=coarse_to_fine", "search.sampler.shrink=0"], "search.sampler.shrink: expected a number above 0"),
        (["search.directions=[min,max]"], "search.directions: expected 1"),
        (["search.directions=[up]"], "expected min or max, got up"),
        (["search=median", "search.objectives=[val_loss,parameters]"], "pruned by a single objective"),
        (["search=grid", "search.jobs=3"], "search.jobs has no effect with search=grid"),
        (["search=grid", "search.points=null"], "search.points: expected a whole number"),
        (["search.points=3"], "search.points has no effect with search=random"),
        (["search=halving", "search.points=3"], "search.points has no effect with search=halving"),
        (["search=bayes"], "Did you mean search=bayesian?"),
        (["search.jobs=0"], "search.jobs"),
        (["-m", "optimizer=adam,sgd"], "cannot join a search"),
        (["-m", "search=random,grid"], "search: a job would be a search of its own"),
        (["search=random,grid"], "search: a job would be a search of its own"),
        (["-m", "search=halving,none"], "(In the job with search=halving.)"),
        (["-m", "search=none,halving"], "(In the job with search=halving.)"),
        (["-m", "search=none", "experiment=grid_search,optimizers"], "(In the job with experiment=grid_search.)"),
        (["+search.space.model.dropuot={low:0,high:1}"], "dropuot"),
        (["+search.space.model.dropout={low:0,high:1}"], "In the job with model.dropout=1"),
        (["+search.space.optimizer.choices=[adam,adm]"], "there is no option 'adm'"),
        (["+search.space.score_test.choices=[always]"], "belongs to the sweep itself"),
    ],
)
def test_faulty_searches_are_refused(
    fake_run: FakeRun, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    ran = fake_run(bowl)
    base = [] if any(word.startswith("search=") for word in words) else ["search=random"]
    assert cli.main([*base, *words]) == 2
    assert message in capsys.readouterr().err
    assert ran == []


def test_coarse_to_fine_zooms_in() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = CoarseToFineSampler(jobs=60, rounds=3, shrink=0.2, seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(_quadratic, n_trials=60)
    distance = [abs(trial.params["x"] - 3) for trial in study.trials]
    assert np.mean(distance[40:]) < np.mean(distance[20:40]) < np.mean(distance[:20])
    assert [trial.params["kind"] for trial in study.trials[40:]].count("good") >= 17


@pytest.mark.slow
def test_gaussian_process_beats_random_search() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    bests: dict[str, list[float]] = {"random": [], "process": []}
    for seed in range(3):
        samplers = {
            "random": optuna.samplers.RandomSampler(seed),
            "process": GaussianProcessSampler(startup_jobs=6, candidates=300, seed=seed),
        }
        for name, sampler in samplers.items():
            study = optuna.create_study(sampler=sampler)
            study.optimize(_quadratic, n_trials=20)
            bests[name].append(study.best_value)
    assert np.mean(bests["process"]) < np.mean(bests["random"])


def test_jobs_at_once_keep_apart() -> None:
    study = optuna.create_study(sampler=GaussianProcessSampler(startup_jobs=6, candidates=300, seed=0))
    study.optimize(_quadratic, n_trials=8)
    xs = [_quadratic_point(study.ask()) for _ in range(3)]
    assert len({round(x, 6) for x in xs}) == 3


def _quadratic_point(trial: optuna.Trial) -> float:
    trial.suggest_categorical("kind", ["good", "bad"])
    trial.suggest_int("n", 1, 100, log=True)
    return trial.suggest_float("x", -10, 10)


def _quadratic(trial: optuna.Trial) -> float:
    x = _quadratic_point(trial)
    return (x - 3) ** 2 + (5 if trial.params["kind"] == "bad" else 0) + abs(trial.params["n"] - 10) / 50
