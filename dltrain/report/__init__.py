"""Writes the report of a run or sweep: one HTML file that opens from disk, with its pictures and a diagnosis."""

INSIGHTS = "insights.json"  # what was found with the model and the raw rows
WHAT_IF = "what_if.json"  # the panel "What if"
