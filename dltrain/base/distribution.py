"""Knows the name under which pip installs this package: `dltrain` is another project's on the package index."""

from __future__ import annotations

NAME = "dltrain-keras"


def version() -> str | None:
    """Returns the installed version, or None in a checkout that is not installed."""
    import importlib.metadata  # takes longer than all else that a hint needs

    try:
        return importlib.metadata.version(NAME)
    except importlib.metadata.PackageNotFoundError:
        return None


def install(extra: str) -> str:
    """Returns the command that installs one of the extras, such as `pip install 'dltrain-keras[serve]'`."""
    return f"pip install '{NAME}[{extra}]'"
