"""The engine and what hangs on it."""
