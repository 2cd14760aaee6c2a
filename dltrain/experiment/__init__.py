"""Runs one experiment, from raw data to its run directory."""
