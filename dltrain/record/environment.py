"""Finds the versions, variables and commit that a run was started with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from typing import Any

from dltrain.base import distribution

PACKAGES = ("tensorflow", "keras", "hydra-core", "omegaconf", "scikit-learn", "pandas", "numpy")
# These choose other algorithms within TensorFlow, whose sums differ in the last digits.
VARIABLES = ("ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS")


def versions() -> dict[str, str | None]:
    """Returns versions of Python and packages and the environment variables that influence numbers, if they are set."""
    packages = {name: _version(name) for name in PACKAGES}
    return (
        {"python": platform.python_version(), "dltrain": distribution.version()}
        | packages
        | {name: os.environ[name] for name in VARIABLES if name in os.environ}
    )


def requirements() -> list[str]:
    """Returns the installed packages as pip takes them, such as `keras==3.15.1`."""
    found = {distribution.NAME: distribution.version()} | {name: _version(name) for name in PACKAGES}
    return [f"{name}=={version}" for name, version in found.items() if version]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def git() -> dict[str, Any] | None:
    """Returns the commit of the working directory and the number of files that differ from it; None outside of git."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True)
        changes = subprocess.run(
            ["git", "status", "--porcelain"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit.stdout.strip(), "changed_files": len(changes.stdout.splitlines())}
