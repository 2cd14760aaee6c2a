from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import ConfigError
from dltrain.training.batch_loss import BatchLoss, weighted_averages


def test_losses_of_mini_batches_average_to_that_of_the_epoch(run_in: Any, tmp_path: Path) -> None:
    made = run_in(
        tmp_path, "callbacks=[csv_history,batch_loss]", "model=linear", "trainer.batch_size=8", "trainer.epochs=3"
    )
    losses = [float(row["loss"]) for row in made.rows("batch_losses.csv")]
    (rows,) = {len(part) for name, part in made.json("splits.json").items() if name == "train"}
    sizes = [8] * (rows // 8) + ([rows % 8] if rows % 8 else [])
    assert len(losses) == 3 * len(sizes)
    for epoch, row in enumerate(made.rows("history.csv")):
        part = losses[epoch * len(sizes) : (epoch + 1) * len(sizes)]
        assert np.average(part, weights=sizes) == pytest.approx(float(row["loss"]), rel=1e-5)


def test_bias_correction_gives_the_mean_of_what_was_seen() -> None:
    (first, second), beta = ((0.1, 1.0), (0.29, (0.9 * 0.1 + 0.1 * 2) / (1 - 0.81))), 0.9
    assert list(weighted_averages([1.0, 2.0], beta)) == [pytest.approx(first), pytest.approx(second)]
    constant = [corrected for _, corrected in weighted_averages([3.0] * 50, 0.98)]
    assert constant == pytest.approx([3.0] * 50)


@pytest.mark.parametrize("betas", [[], [0.0], [0.9, 1.0]])
def test_share_that_averages_nothing_is_refused(betas: list[float], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"callbacks\.batch_loss\.betas: expected numbers above 0 and below 1"):
        BatchLoss(tmp_path, betas=betas)
