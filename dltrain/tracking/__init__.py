"""Sends runs to a tracking service."""
