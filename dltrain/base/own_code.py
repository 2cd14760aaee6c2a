"""Tells whether an error was raised in the code of the person who runs dltrain."""

from __future__ import annotations

import site
import sysconfig
import traceback
from pathlib import Path

_PATHS = sysconfig.get_paths()
_INSTALLED = [_PATHS[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_FOLDERS = [*_INSTALLED, *site.getsitepackages(), site.getusersitepackages(), str(Path(__file__).parents[1])]
_LIBRARIES = tuple(Path(folder).resolve() for folder in _FOLDERS)


def raised_in_own_code(error: BaseException) -> bool:
    """Returns whether an error came through a module that is neither dltrain's nor a library's: a bug in that module.

    A library that refuses arguments from the config is called without passing such a module.
    """
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        files.append(error.filename)
    return any(_is_own(file) for file in files)


def _is_own(file: str) -> bool:
    # Names such as <frozen importlib._bootstrap> are of code that has no file.
    return not file.startswith("<") and not any(Path(file).resolve().is_relative_to(each) for each in _LIBRARIES)
