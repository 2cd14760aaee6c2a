from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from dltrain.inference.prefetch import prefetch


def test_items_come_in_their_order() -> None:
    assert list(prefetch(range(20), depth=2)) == list(range(20))
    assert list(prefetch([])) == []


def test_error_of_the_items_is_raised_after_those_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("row 2")

    came = prefetch(items())
    assert next(came) == 1
    with pytest.raises(ValueError, match="row 2"):
        next(came)


def test_no_more_is_made_than_the_depth_and_nothing_after_the_user_left() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1_000):
            made.append(number)
            yield number

    before = threading.active_count()
    came = prefetch(items(), depth=2)
    assert next(came) == 0
    time.sleep(0.2)
    assert len(made) <= 4  # one taken, two waiting, one in hand
    came.close()  # type: ignore[attr-defined]
    end = time.monotonic() + 30
    while threading.active_count() > before:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert len(made) <= 4
