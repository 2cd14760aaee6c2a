"""Scores predictions, estimates how certain the scores are, and fits simple baselines."""
