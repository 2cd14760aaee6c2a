"""Writes and reads files of numbers and arrays with a checksum: JSON for the structure, npz for the arrays."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dltrain.base.files import replace_file

logger = logging.getLogger("dltrain")

FILE = "checkpoints/training.state"  # in the directory of a run
MAGIC = b"dltrain state 1 "

Arrays = dict[str, npt.NDArray[Any]]


def can_go_on(directory: Path) -> bool:
    """Returns whether an interrupted run has saved a state, its own or that of a fold or seed (`cv/fold_1`, …)."""
    return (directory / FILE).is_file() or any(directory.glob(f"*/*/{FILE}"))


def previous(path: Path) -> Path:
    """Returns the path of the state that was saved before this one."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write(path: Path, content: Any) -> None:
    """Writes a state (see `is_plain`) and keeps the one before it, which `read` falls back to."""
    arrays: Arrays = {}
    tree = json.dumps(_packed(content, arrays))
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, tree=np.frombuffer(tree.encode(), np.uint8), **arrays)
    data = buffer.getvalue()
    with replace_file(path) as temporary:
        temporary.write_bytes(MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        if path.exists():
            path.replace(previous(path))


def read(path: Path) -> Any:
    """Reads the newest whole state: that of the file, else the one before it, else None.

    A file that does not agree with its checksum is skipped with a warning.
    """
    for each in (path, previous(path)):
        try:
            return _read(each)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            logger.warning("'%s' is damaged (%s) and is not used.", each, error)
    return None


def is_plain(value: Any) -> bool:
    """Returns whether a state can hold a value: None, numbers, text, NumPy's, and lists, tuples and dicts of them."""
    try:
        _packed(value, {})
    except TypeError:
        return False
    return True


def _read(path: Path) -> Any:
    head, _, data = path.read_bytes().partition(b"\n")
    if head != MAGIC + hashlib.sha256(data).hexdigest().encode():
        raise ValueError("it does not agree with its checksum")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        tree = json.loads(arrays["tree"].tobytes())
        return _unpacked(tree, {name: arrays[name] for name in arrays.files})


def _packed(value: Any, arrays: Arrays) -> Any:
    """Returns JSON in which each array, list and dict is a pair of its kind and its content."""
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, (np.generic, np.ndarray)) and value.dtype.kind in "biufcSU":
        array = np.asarray(value)
        # Named by its content, since several callbacks keep the same best weights, which are written once.
        name = hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).hexdigest()
        arrays[name] = array
        return ["scalar" if isinstance(value, np.generic) else "array", name]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [_packed(each, arrays) for each in value]]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return ["dict", {name: _packed(each, arrays) for name, each in value.items()}]
    raise TypeError(f"A state cannot hold a {type(value).__name__}.")


def _unpacked(tree: Any, arrays: Arrays) -> Any:
    if not isinstance(tree, list):
        return tree
    kind, content = tree
    if kind == "dict":
        return {name: _unpacked(each, arrays) for name, each in content.items()}
    if kind in ("list", "tuple"):
        return (list if kind == "list" else tuple)(_unpacked(each, arrays) for each in content)
    return arrays[content][()] if kind == "scalar" else arrays[content]
