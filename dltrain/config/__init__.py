"""Composes YAML and the words of a command line to one checked config, without heavy imports."""
