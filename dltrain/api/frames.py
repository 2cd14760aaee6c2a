"""Keeps a data frame as a Parquet file, from which a run can be resumed and reproduced."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dltrain.api.words import value_word
from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.base.files import replace_file

FOLDER = "data"  # beside the directories of runs, in outputs/ or wherever they are written


@dataclass(frozen=True)
class KeptFrame:
    """The content of a Parquet file, the path at which it is to stand, and the overrides that read it."""

    path: Path
    content: bytes
    words: list[str]

    def write(self) -> None:
        """Writes the file unless it is there; its name is made from its content."""
        if not self.path.exists():
            with replace_file(self.path) as temporary:
                temporary.write_bytes(self.content)


def keep(data: Any, target: str | Sequence[str] | None, folder: Path) -> KeptFrame:
    """Returns a table of pandas, or what pandas makes one of, as a file in `folder`; its index is not used.

    Raises:
        ConfigError: If it is no table, or the target is no column of it.
        DataError: If two columns have the same name, or cells cannot be written.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from dltrain.data.cells import to_arrow
    from dltrain.data.raw_table import check_names
    from dltrain.inference.rows import holds_images

    frame = data.to_pandas() if hasattr(data, "to_pandas") else data
    try:
        frame = frame if isinstance(frame, pd.DataFrame) else pd.DataFrame(frame)
    except (TypeError, ValueError) as error:
        raise _no_table(data) from error
    if list(map(str, frame.columns)) in ([], ["0"]):  # a list of numbers, not of rows
        raise _no_table(data)
    names = [str(name) for name in frame.columns]
    check_names(names, origin="the data frame")
    targets = [target] if isinstance(target, str) else list(target or [])
    if not targets:
        raise ConfigError(f"target: expected the name of a column of the data frame.{did_you_mean('', names)}")
    if faults := [
        f"target: the data frame has no column '{name}'.{did_you_mean(name, names)}"
        for name in targets
        if name not in names
    ]:
        raise ConfigError(faults)
    columns = {}
    for place, name in enumerate(names):
        cells = frame.iloc[:, place]
        if holds_images(cells):
            raise DataError(f"data: column '{name}' holds arrays; write images into files and use dataset=images.")
        category = isinstance(cells.dtype, pd.CategoricalDtype)
        columns[name] = pa.array(cells, from_pandas=True) if category else to_arrow(cells)
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), buffer)
    content = buffer.getvalue().to_pybytes()
    path = folder / FOLDER / f"{hashlib.sha256(content).hexdigest()[:16]}.parquet"
    wanted: Any = targets if len(targets) > 1 else targets[0]
    words = [
        "dataset=csv",
        "dataset.name=frame",
        f"dataset.path={value_word(str(path), 'data')}",
        f"dataset.target={value_word(wanted, 'target')}",
    ]
    return KeptFrame(path, content, words)


def _no_table(data: Any) -> ConfigError:
    return ConfigError(
        f"data: expected a data frame, a dictionary of columns, or the path of a file, got {type(data).__name__}."
    )
