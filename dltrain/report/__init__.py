"""The report of a run: one HTML file that opens from disk, with its pictures and a diagnosis in words."""

INSIGHTS = "insights.json"  # what was found with the model and the raw rows
