"""Tells whose code raised an error: that of the person who runs dltrain, a library's, or dltrain's own."""

from __future__ import annotations

import re
import site
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dltrain.base.errors import DltrainError, RunError
from dltrain.base.tell import DISK_FAULTS

_PATHS = sysconfig.get_paths()
_INSTALLED = [_PATHS[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_FOLDERS = [*_INSTALLED, *site.getsitepackages(), site.getusersitepackages(), str(Path(__file__).parents[1])]
_LIBRARIES = tuple(Path(folder).resolve() for folder in _FOLDERS)
_KERAS = tuple(Path(folder).resolve() / name for folder in _INSTALLED for name in ("keras", "tensorflow"))
# Where the messages of Keras and TensorFlow stop to speak of the fault.
_REST = re.compile(r"Arguments received by|Detected at node|Stack trace for op|Call arguments received|\[Op:")
_NOISE = re.compile(r"\x1b\[\d*m|in user code:|\{\{.*?\}\}|(?m:^ *File \".*$)")
MOST_SHOWN = 400  # characters of a library's message


def raised_in_own_code(error: BaseException) -> bool:
    """Returns whether an error came through a module that is neither dltrain's nor a library's: a bug in that module.

    A library that refuses arguments from the config is called without passing such a module.
    """
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        files.append(error.filename)
    return any(_is_own(file) for file in files)


def _is_own(file: str) -> bool:
    # Names such as <frozen importlib._bootstrap> are of code that has no file; those of Cython are of libraries
    # and lack the folder that they stand in.
    return (
        not file.startswith("<")
        and not file.endswith((".pyx", ".pxd", ".pxi"))
        and not any(Path(file).resolve().is_relative_to(each) for each in _LIBRARIES)
    )


@contextmanager
def library_refusals() -> Iterator[None]:
    """Raises a RunError where Keras or TensorFlow refuse, during the training, what the config asks of them.

    An error that came through a person's own code, or that dltrain's code raised, is a bug there and stays as it is, as
    does a fault of the disk.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DltrainError) or raised_in_own_code(error) or not _raised_in_keras(error):
            raise
        if isinstance(error, OSError) and error.errno in DISK_FAULTS:
            raise
        reason = " ".join(_NOISE.sub("", _REST.split(str(error))[0]).split()) or type(error).__name__
        shown = reason if len(reason) <= MOST_SHOWN else f"{reason[:MOST_SHOWN]}…"
        raise RunError(f"Keras cannot train or score this network: {shown} (dltrain.log has the traceback.)") from error


def _raised_in_keras(error: BaseException) -> bool:
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    inner = [Path(file).resolve() for file in files if not file.startswith("<")]
    return bool(inner) and any(inner[-1].is_relative_to(folder) for folder in _KERAS)
