"""Serves a finished run over HTTP: one POST for rows, and a page to try single ones."""
