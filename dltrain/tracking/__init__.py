"""Runs told to a tracking service, beside their own directories."""
