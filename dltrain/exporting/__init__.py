"""Exports a finished run's model to other runtimes and checks each export against the original."""
