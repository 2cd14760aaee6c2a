"""What the jobs of a sweep answer over the same columns, side by side."""

from __future__ import annotations

from typing import Any

from dltrain.report.decision_boundary import of_jobs


def curve(*answers: float, target: str = "y") -> dict[str, Any]:
    frames = [{"epoch": epoch, "answers": [[answer] * 6], "val_loss": answer} for epoch, answer in enumerate(answers)]
    return {
        "cells": 6,
        "axes": [{"name": "x", "low": 0.0, "high": 1.0}],
        "held": {},
        "target": target,
        "classes": [],
        "range": [0.0, 1.0],
        "points": {"places": [[0.2, 0.7]], "target": [0.1, 0.9]},
        "kept": len(answers) - 1,
        "frames": frames,
    }


def test_each_job_has_a_panel_with_the_weights_it_kept() -> None:
    found = of_jobs({"l2 0": curve(0.5, 0.25), "l2 0.1": curve(0.5, 0.4, 0.3), "l2 1": curve(0.5)})
    assert found is not None
    assert "answers for y over 'x'" in found.message
    assert "l2 0: 0.25, l2 0.1: 0.3, l2 1: 0.5" in found.message
    for title in ("l2 0", "l2 0.1", "l2 1"):
        assert f">{title}</text>" in found.file()


def test_jobs_that_were_asked_different_questions_are_not_compared() -> None:
    assert of_jobs({"a": curve(0.5), "b": curve(0.5, target="z")}) is None
    assert of_jobs({f"job {place}": curve(0.5) for place in range(9)}) is None
