"""Work ahead: one thread makes the next items while another uses the present one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
DEPTH = 3


class _End:
    """Ends the queue, with what was raised."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def work_ahead(items: Iterable[Item], depth: int = DEPTH) -> Iterator[Item]:
    """The same items, made in a thread of its own, at most so many ahead of their use.

    Args:
        items: what to go through; what it raises is raised here.
        depth: how many finished items may wait, which bounds the memory.
    """
    waiting: queue.Queue[Item | _End] = queue.Queue(depth)
    left = threading.Event()

    def put(item: Item | _End) -> bool:
        while not left.is_set():
            try:
                waiting.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as error:
            put(_End(error))
        else:
            put(_End(None))

    threading.Thread(target=work, daemon=True).start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        left.set()
