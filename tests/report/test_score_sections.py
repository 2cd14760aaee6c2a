from __future__ import annotations

from typing import Any

from dltrain.report.score_sections import seed_table

OVER: dict[str, Any] = {"mean": {"loss": 0.5, "auc": 0.75}, "sd": {"loss": 0.125, "auc": 0.25}}
RUNS = [{"seed": seed, "best_epoch": seed - 40, "test": {"loss": 0.5, "auc": seed / 100}} for seed in (42, 43)]


def test_every_seed_has_a_row_then_come_their_mean_and_its_interval() -> None:
    over = {**OVER, "interval": {"loss": [0.25, 0.75]}}
    assert seed_table({"runs": RUNS, "test": over}, "test") == (
        ["seed", "best epoch", "loss", "auc"],
        [
            [42, 2, "0.5000", "0.4200"],
            [43, 3, "0.5000", "0.4300"],
            ["mean ± sd", "", "0.5000 ± 0.1250", "0.7500 ± 0.2500"],
            ["95 % interval of the mean", "", "0.2500 to 0.7500", ""],
        ],
    )


def test_summaries_of_older_runs_have_no_interval() -> None:
    assert seed_table({"runs": RUNS, "test": OVER}, "test")[1][-1][0] == "mean ± sd"
