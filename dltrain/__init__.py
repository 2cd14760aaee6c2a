"""One Keras experiment from one line: YAML in, a trusted and repeatable run directory out."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Looks up what takes longer than this import: the version in the metadata, and `load`."""
    if name == "load":
        from dltrain.api.finished_run import load

        return load
    if name == "__version__":
        from dltrain.base.distribution import version

        return version() or "unknown"
    raise AttributeError(f"module 'dltrain' has no attribute '{name}'")
