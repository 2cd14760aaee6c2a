"""Collects images of one size into one array, which lies in a file where it would take much memory."""

from __future__ import annotations

import math
import weakref
from typing import IO

import numpy as np
import numpy.typing as npt

from dltrain.data.storage import map_file, nameless_file, release_pages

Pixels = npt.NDArray[np.uint8]

MOST_IN_MEMORY = 2**28  # bytes
RELEASED_AFTER = 256  # images


class PixelStack:
    """Images of shape (height, width, channels), one after the other.

    Above `MOST_IN_MEMORY` they lie in a file that is gone with the array.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.grey = True  # whether the channels of each image are equal
        self._shape: tuple[int, ...] = (1, 1, 1)
        self._memory: list[Pixels] = []
        self._file: IO[bytes] | None = None
        self._most = 0

    @property
    def nbytes(self) -> int:
        """The number of bytes of all images."""
        return self.rows * math.prod(self._shape)

    @property
    def full(self) -> bool:
        """Whether the images take over half of the disk that was free."""
        return self._file is not None and self.nbytes > self._most

    def append(self, image: Pixels) -> None:
        """Adds an image of the same shape as those before."""
        self._shape = image.shape
        self.rows += 1
        self.grey = self.grey and bool((image == image[..., :1]).all())
        if self._file is not None:
            self._file.write(image.tobytes())
            return
        self._memory.append(image)
        if self.nbytes > MOST_IN_MEMORY:
            self._move_to_file()

    def array(self, *, grey: bool) -> Pixels:
        """Returns all images, (n, height, width, channels), with `grey` their first channel alone."""
        if grey and self._shape[-1] > 1:
            single = PixelStack()
            for place, image in enumerate(self.array(grey=False)):
                single.append(image[..., :1].copy())
                if place % RELEASED_AFTER == 0:
                    release_pages()
            return single.array(grey=False)
        if self._file is None:
            return np.stack(self._memory) if self._memory else np.zeros((0, *self._shape), np.uint8)
        self._file.flush()
        return np.frombuffer(map_file(self._file), np.uint8).reshape((self.rows, *self._shape))

    def _move_to_file(self) -> None:
        self._file, free = nameless_file()
        self._most = free // 2
        weakref.finalize(self, self._file.close)  # an array that was made of it stays
        for image in self._memory:
            self._file.write(image.tobytes())
        self._memory = []
