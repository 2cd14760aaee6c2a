"""Applies a finished run to new rows."""
