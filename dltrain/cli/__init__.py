"""Passes the words of a command line to a verb or to Hydra."""
