"""A file of numbers and arrays that is whole, or is not used: JSON for the shape of it, npz for the arrays."""

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
    """Whether a run that was cut off has saved a state: its own, or that of a fold or seed (`cv/fold_1`, …)."""
    return (directory / FILE).is_file() or any(directory.glob(f"*/*/{FILE}"))


def previous(path: Path) -> Path:
    """The generation before a state file."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write(path: Path, content: Any) -> None:
    """Writes a state and keeps the one before it, which `read` falls back to.

    Args:
        path: of the file.
        content: see `is_plain`.
    """
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
    """The newest whole state: that of the file, else that of the generation before; None where there is none.

    A file that is cut short or altered does not agree with its checksum and is passed over, with a warning.
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
    """Whether a state can hold a value: None, numbers, text, NumPy's, and lists, tuples and dicts of them."""
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
    """JSON in which each array, list and dict is a pair of its kind and its content."""
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, (np.generic, np.ndarray)) and value.dtype.kind in "biufcSU":
        array = np.asarray(value)
        # Several callbacks keep the same best weights: they are written once.
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
