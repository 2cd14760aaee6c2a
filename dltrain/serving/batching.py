"""Requests that arrive together go through the model together: one call for all costs little more than one for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from dltrain.base.errors import DataError

Row = dict[str, Any]
Predict = Callable[[Sequence[Row]], list[Any]]


@dataclass
class _Waiting:
    rows: Sequence[Row]
    answer: asyncio.Future[list[Any]]


class Batcher:
    """Gathers the rows of requests for a few milliseconds and predicts them in one call.

    Args:
        predict: from rows to an answer for each; called in one thread of its own.
        wait: seconds that the first request waits for others.
        most: rows in a call, unless one request alone has more.
        seen: told how many rows each call had.
    """

    def __init__(self, predict: Predict, *, wait: float, most: int, seen: Callable[[int], None]) -> None:
        self.predict = predict
        self.wait = wait
        self.most = most
        self.seen = seen
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to take requests, in the running event loop."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Ends; requests in flight have been answered by then."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def submit(self, rows: Sequence[Row]) -> Awaitable[list[Any]]:
        """The answers to these rows, one for each, once they are there.

        Raises:
            DataError: a row cannot be used.
        """
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return waiting.answer

    async def _work(self) -> None:
        while True:
            together = [await self._queue.get()]
            if self.wait:
                await asyncio.sleep(self.wait)
            rows = len(together[0].rows)
            while not self._queue.empty() and rows < self.most:
                together.append(self._queue.get_nowait())
                rows += len(together[-1].rows)
            await self._answer(together)

    async def _answer(self, together: list[_Waiting]) -> None:
        rows = [row for waiting in together for row in waiting.rows]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self.predict, rows)
        except DataError as error:
            if len(together) == 1:
                _finish(together[0], error)
            else:  # one bad request is no fault of the others
                for waiting in together:
                    await self._answer([waiting])
            return
        except Exception as error:
            for waiting in together:
                _finish(waiting, error)
            return
        self.seen(len(rows))
        for waiting in together:
            _finish(waiting, answers[: len(waiting.rows)])
            answers = answers[len(waiting.rows) :]


def _finish(waiting: _Waiting, found: list[Any] | Exception) -> None:
    if waiting.answer.done():  # the client has gone
        return
    if isinstance(found, Exception):
        waiting.answer.set_exception(found)
    else:
        waiting.answer.set_result(found)
