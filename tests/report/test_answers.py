from __future__ import annotations

import numpy as np

from dltrain.config.tasks import BINARY
from dltrain.report.answers import Answers, per_class


def test_both_of_two_classes_have_the_area_of_the_second() -> None:
    # In 32 bits 1 - p is 1 for all of these, so that the first class alone would be at chance.
    small = np.array([1e-12, 2e-12, 3e-12, 4e-12], np.float32)
    given = np.column_stack([1 - small, small]).astype(np.float64)
    answers = Answers("test", BINARY, ("no", "yes"), np.array([0, 0, 1, 1]), given)
    assert [row["auc"] for row in per_class(answers, 0.5)] == [1, 1]
