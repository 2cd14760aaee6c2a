"""Predicts the rows of requests that arrive together in one call, which costs little more than a call for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
Predict = Callable[[Sequence[Row]], list[Any]]


@dataclass
class _Waiting:
    rows: Sequence[Row]
    answer: asyncio.Future[list[Any]]


class Batcher:
    """Collects the rows of requests for `wait` seconds and predicts them in one call.

    `predict` is called in a thread of its own; a call has at most `max_rows` rows unless a single request has more;
    `on_batch` is called with the number of rows of each call.
    """

    def __init__(self, predict: Predict, *, wait: float, max_rows: int, on_batch: Callable[[int], None]) -> None:
        self.predict = predict
        self.wait = wait
        self.max_rows = max_rows
        self.on_batch = on_batch
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to take requests in the running event loop."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Ends, after requests in progress were answered."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def submit(self, rows: Sequence[Row]) -> Awaitable[list[Any]]:
        """Returns a future of the predictions, one for each row; it raises DataError if a row cannot be used."""
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return waiting.answer

    async def _work(self) -> None:
        while True:
            together = [await self._queue.get()]
            if self.wait:
                await asyncio.sleep(self.wait)
            rows = len(together[0].rows)
            while not self._queue.empty() and rows < self.max_rows:
                together.append(self._queue.get_nowait())
                rows += len(together[-1].rows)
            await self._answer(together)

    async def _answer(self, together: list[_Waiting]) -> None:
        rows = [row for waiting in together for row in waiting.rows]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self.predict, rows)
        except Exception as error:
            if len(together) == 1:
                _finish(together[0], error)
            else:  # a bad request must not fail the others
                for waiting in together:
                    await self._answer([waiting])
            return
        self.on_batch(len(rows))
        for waiting in together:
            _finish(waiting, answers[: len(waiting.rows)])
            answers = answers[len(waiting.rows) :]


def _finish(waiting: _Waiting, found: list[Any] | Exception) -> None:
    if waiting.answer.done():  # the client has disconnected
        return
    if isinstance(found, Exception):
        waiting.answer.set_exception(found)
    else:
        waiting.answer.set_result(found)
