"""Gathers what is known of the surroundings, without importing TensorFlow where that is not asked for."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from dltrain.base import distribution
from dltrain.base.errors import DltrainError
from dltrain.base.regular_file import is_reachable
from dltrain.data.storage import data_directory


@dataclass(frozen=True)
class Facts:
    """What the checks look at; made up in tests."""

    python: tuple[int, ...]
    system: str  # Linux, Darwin or Windows
    machine: str  # such as x86_64 or arm64
    requires_python: str | None  # such as ">=3.11,<3.14"; None in a checkout that is not installed
    requirements: Sequence[str] = ()  # those that hold here, as pip writes them
    versions: Mapping[str, str] = field(default_factory=dict)  # of what is installed, by canonical name
    owners: Mapping[str, Sequence[str]] = field(default_factory=dict)  # distributions that write a folder
    driver_gpus: Sequence[str] = ()  # GPUs that the driver has, by name
    visible_devices: str | None = None  # CUDA_VISIBLE_DEVICES
    folder: str = ""  # the working directory
    free_bytes: int = 0  # in it
    cache: str = ""  # the folder of downloads, or the reason why there is none
    cache_writable: bool = True
    output_encoding: str = "utf-8"
    file_encoding: str = "utf-8"
    locale: str = ""


@dataclass(frozen=True)
class TensorFlowFacts:
    """What TensorFlow says after its import."""

    error: str | None = None  # why it cannot be imported
    built_with_cuda: bool = False
    gpus: Sequence[str] = ()
    matmul_error: str | None = None  # why a product of two matrices on the first GPU failed


def gather() -> Facts:
    """Looks at everything but TensorFlow."""
    try:
        own = importlib.metadata.distribution(distribution.NAME)
        requires_python = str(own.metadata["Requires-Python"])
        requirements = [line for line in own.requires or [] if "extra ==" not in line]
    except importlib.metadata.PackageNotFoundError:
        requires_python, requirements = None, []
    versions, owners = _installed(("dltrain", "keras", "tensorflow"))
    cache, writable = _cache()
    folder = Path.cwd()
    return Facts(
        python=tuple(sys.version_info[:3]),
        system=platform.system(),
        machine=platform.machine(),
        requires_python=requires_python,
        requirements=requirements,
        versions=versions,
        owners=owners,
        driver_gpus=_driver_gpus(),
        visible_devices=os.environ.get("CUDA_VISIBLE_DEVICES"),
        folder=str(folder),
        free_bytes=shutil.disk_usage(folder).free,
        cache=cache,
        cache_writable=writable,
        output_encoding=getattr(sys.stdout, "encoding", None) or "",
        file_encoding=sys.getfilesystemencoding(),
        locale=".".join(filter(None, locale.getlocale())) or "C",
    )


def ask_tensorflow() -> TensorFlowFacts:
    """Imports TensorFlow, and multiplies two matrices on the first GPU that it uses."""
    from dltrain.internals import tensorflow_quietly

    try:
        tensorflow_quietly.load()
        import tensorflow as tf
    except Exception as error:  # a broken installation raises many kinds
        return TensorFlowFacts(error=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    gpus = [device.name for device in tf.config.list_physical_devices("GPU")]
    failure = None
    if gpus:
        try:
            with tf.device("/GPU:0"):
                ones = tf.ones((256, 256))
                float(tf.reduce_sum(ones @ ones))
        except Exception as error:  # drivers, libraries and memory fail in many ways
            failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return TensorFlowFacts(None, bool(tf.test.is_built_with_cuda()), gpus, failure)


def _installed(folders: Sequence[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Returns the version of each distribution, and those whose files lie in each of the folders."""
    versions: dict[str, str] = {}
    owners: dict[str, list[str]] = {folder: [] for folder in folders}
    for each in importlib.metadata.distributions():
        name = canonicalize_name(str(each.metadata["Name"]))
        versions.setdefault(name, each.version)
        if name.startswith(("keras", "dltrain", "tensorflow", "tf-nightly")):
            for folder in folders:
                if any(str(file) == f"{folder}/__init__.py" for file in each.files or []):
                    owners[folder].append(name)
    return versions, owners


def _driver_gpus() -> list[str]:
    """Returns the names of the GPUs that NVIDIA's driver lists."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def _cache() -> tuple[str, bool]:
    try:
        folder = data_directory()
    except DltrainError as error:
        return str(error), False
    nearest = next((each for each in (folder, *folder.parents) if is_reachable(each)), folder)
    return str(folder), nearest.is_dir() and os.access(nearest, os.W_OK)
