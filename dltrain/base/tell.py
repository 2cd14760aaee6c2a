"""How an error is told on a terminal: a sentence where a person can mend it, a traceback where the code is at fault."""

from __future__ import annotations

import errno
import sys
import traceback

from dltrain.base.errors import DltrainError
from dltrain.base.printable import printable

# Faults of the disk, which a person can mend; any other error that is not ours is a bug and shows where it is.
DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def tell(error: DltrainError, prefix: str = "") -> None:
    """Prints each fault of an error in a line of its own."""
    for fault in getattr(error, "faults", [str(error)]):
        print(printable(f"error: {prefix}{' '.join(fault.split())}"), file=sys.stderr)


def tell_unexpected(error: Exception) -> None:
    """Prints a fault of the disk in a sentence, and any other, which is a bug, with its traceback."""
    if isinstance(error, OSError) and error.errno in DISK_FAULTS:
        where = f" '{error.filename}'" if error.filename else ""
        print(f"error: a file{where} cannot be written: {error.strerror}.", file=sys.stderr)
    else:
        traceback.print_exception(error)
