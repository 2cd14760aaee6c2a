from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from dltrain.base.errors import DataError
from dltrain.serving.batching import Batcher


def doubled(rows: Sequence[dict[str, Any]]) -> list[Any]:
    if any(row["x"] is None for row in rows):
        raise DataError("row without x")
    if any(row["x"] == "bug" for row in rows):
        raise ZeroDivisionError
    return [2 * row["x"] for row in rows]


def answers(*requests: list[Any], wait: float = 0.05, most: int = 100) -> tuple[list[Any], list[int]]:
    """What requests that come at once are answered, and the number of rows of each call that was answered."""
    batches: list[int] = []

    async def serve() -> list[Any]:
        batcher = Batcher(doubled, wait=wait, max_rows=most, on_batch=batches.append)
        batcher.start()
        waiting = [batcher.submit([{"x": value} for value in values]) for values in requests]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        await batcher.stop()
        return list(found)

    return asyncio.run(serve()), batches


def test_requests_that_come_together_are_one_call_and_each_gets_its_own_rows() -> None:
    assert answers([1], [2, 3], [4]) == ([[2], [4, 6], [8]], [4])


def test_a_call_has_no_more_rows_than_allowed_unless_one_request_has() -> None:
    assert answers([1], [2], [3], most=2) == ([[2], [4], [6]], [2, 1])
    assert answers([1, 2, 3], [4], most=2) == ([[2, 4, 6], [8]], [3, 1])


def test_a_bad_request_does_not_fail_the_others() -> None:
    (first, second, third), batches = answers([1], [None], [3])
    assert (first, third) == ([2], [6])
    assert isinstance(second, DataError)
    assert batches == [1, 1]


def test_a_bug_fails_the_requests_and_not_the_service() -> None:
    (first, second), batches = answers(["bug"], [2], wait=0, most=1)
    assert isinstance(first, ZeroDivisionError)
    assert (second, batches) == ([4], [1])


@pytest.mark.parametrize("act", [lambda answer: answer.cancel(), lambda answer: None], ids=["disconnected", "waits"])
def test_client_that_has_left_disturbs_nobody(act: Callable[[Any], object]) -> None:
    async def serve() -> Any:
        batcher = Batcher(doubled, wait=0.02, max_rows=9, on_batch=lambda rows: None)
        batcher.start()
        left: Any = batcher.submit([{"x": 1}])
        act(left)
        stays: Awaitable[list[Any]] = batcher.submit([{"x": 2}])
        found = await stays
        await batcher.stop()
        return found

    assert asyncio.run(serve()) == [4]
