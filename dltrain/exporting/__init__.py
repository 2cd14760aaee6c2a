"""A finished run's model in the formats of other runtimes, each checked against the original."""
