"""Holds what Python users call; the verbs print what it returns."""
