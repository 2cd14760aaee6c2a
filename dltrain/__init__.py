"""One Keras experiment from one line: YAML in, a trusted and repeatable run directory out."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """Looks the version up when it is asked for, since reading metadata takes longer than an import."""
    if name == "__version__":
        import importlib.metadata

        try:
            return importlib.metadata.version("dltrain")
        except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
            return "unknown"
    raise AttributeError(f"module 'dltrain' has no attribute '{name}'")
