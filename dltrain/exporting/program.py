"""Holds a model as a program: steps that a page computes in plain JavaScript (report/templates/program.js)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dltrain.base.errors import ConfigError

MOST_BYTES = 2_000_000  # of the constants, since they are part of the page


@dataclass(frozen=True)
class Slot:
    """The place of a tensor that a step computes, with its shape, if that is known."""

    number: int
    shape: tuple[int | None, ...] = ()


@dataclass
class Program:
    """Steps in the order in which they are computed; each makes one tensor, whose first axis is the rows."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    size: int = 0  # of the constants, in bytes

    def add(self, do: str, *of: Any, **attributes: Any) -> Slot:
        """Adds the step `do` on tensors or constants, and returns the place of its result.

        Raises:
            ConfigError: If all constants together take more than `MOST_BYTES`.
        """
        places = [each.number if isinstance(each, Slot) else self._constant(each) for each in of]
        return self._append({"do": do, **({"of": places} if places else {}), **attributes})

    def _constant(self, value: Any) -> int:
        array = np.asarray(value)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.int32 if array.dtype.kind in "biu" else np.float64)
        self.size += array.nbytes
        if self.size > MOST_BYTES:
            raise ConfigError(f"its numbers take more than {MOST_BYTES / 1e6:g} MB")
        data = base64.b64encode(array.astype(array.dtype.newbyteorder("<")).tobytes()).decode()
        return self._append({"do": "constant", "shape": array.shape, "type": array.dtype.name, "data": data}).number

    def _append(self, step: dict[str, Any]) -> Slot:
        self.steps.append(step)
        return Slot(len(self.steps) - 1)
