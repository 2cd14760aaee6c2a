"""Holds what every other room may use: errors, files, locks, text for terminals."""
