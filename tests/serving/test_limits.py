from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dltrain.serving.limits import BodyLimit

MOST = 10


def served(*chunks: bytes, headers: Any = (), kind: str = "http") -> tuple[list[bytes], list[dict[str, Any]]]:
    """The bodies that reach the application, and what is sent back."""
    reached: list[bytes] = []
    sent: list[dict[str, Any]] = []
    messages = [
        {"type": "http.request", "body": chunk, "more_body": place < len(chunks) - 1}
        for place, chunk in enumerate(chunks)
    ] or [{"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append((await receive()).get("body", b"") if scope["type"] == "http" else b"")

    asyncio.run(BodyLimit(application, MOST, 0.05)({"type": kind, "headers": headers}, receive, send))
    return reached, sent


def test_small_body_comes_whole() -> None:
    assert served(b"12345", b"67890") == ([b"1234567890"], [])
    assert served(b"") == ([b""], [])


@pytest.mark.parametrize(
    ("chunks", "headers"),
    [
        ([b"123456", b"78901"], []),
        ([b"1"], [(b"content-length", b"11")]),
        ([b"1"], [(b"content-length", b"-1")]),
    ],
    ids=["received", "announced", "no number"],
)
def test_large_body_is_refused_before_it_is_read_on(chunks: list[bytes], headers: Any) -> None:
    reached, (start, body) = served(*chunks, headers=headers)
    assert reached == []
    assert start["status"] == 413
    assert json.loads(body["body"]) == {"detail": "The body is too large; expected at most 10 bytes."}


def test_client_that_leaves_gets_nothing_and_other_messages_pass() -> None:
    assert served() == ([], [])
    assert served(kind="lifespan") == ([b""], [])


def test_body_that_does_not_come_is_answered_408() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    async def application(*_: Any) -> None:
        raise AssertionError("it has no body")

    asyncio.run(BodyLimit(application, MOST, 0.01)({"type": "http", "headers": []}, receive, send))
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"]) == {"detail": "The body did not come within 0.01 seconds."}
