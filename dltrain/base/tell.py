"""Prints errors: a sentence if a person can mend it, a traceback if the code is at fault."""

from __future__ import annotations

import errno
import sys
import traceback

from dltrain.base.errors import DltrainError
from dltrain.base.show import show

# A person can mend these faults of the disk; any other error that is not a DltrainError is a bug.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def tell(error: DltrainError) -> None:
    """Prints each fault of an error in its own line."""
    for fault in getattr(error, "faults", [str(error)]):
        show(f"error: {' '.join(fault.split())}", file=sys.stderr)


def tell_unexpected(error: Exception) -> None:
    """Prints a fault of the disk in a sentence, and any other with its traceback."""
    if isinstance(error, OSError) and error.errno in DISK_FAULTS:
        where = f" '{error.filename}'" if error.filename else ""
        show(f"error: a file{where} cannot be written: {error.strerror}.", file=sys.stderr)
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        show(f"error: '{str(error.filename)[:80]}…' is too long for the name of a file.", file=sys.stderr)
    else:
        show("".join(traceback.format_exception(error)), end="", file=sys.stderr)
        if isinstance(error, ImportError | UnicodeError) or type(error).__module__.startswith("tensorflow"):
            show("`dltrain doctor` looks for a cause outside of dltrain: packages, GPU, encoding.", file=sys.stderr)


def tell_any(error: Exception) -> None:
    """Prints an error in sentences if a person can mend it, else with its traceback."""
    if isinstance(error, DltrainError):
        tell(error)
    else:
        tell_unexpected(error)


def exit_code(error: Exception) -> int:
    """Returns the exit code of a command that ends with an error."""
    return error.exit_code if isinstance(error, DltrainError) else 1
