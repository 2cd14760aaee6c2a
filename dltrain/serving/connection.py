"""Closes connections on which no request comes, since uvicorn itself waits for its head without end."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

Protocol: Any = AutoHTTPProtocol


def timed_protocol(*, seconds: float, connections: int) -> Any:
    """Returns a protocol that closes a connection without the head of a request after `seconds`, and those too many."""

    class Timed(Protocol):
        timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > connections:
                transport.abort()
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, error: Exception | None) -> None:
            self._forget()
            super().connection_lost(error)

        def _watch(self) -> None:
            """Counts from the first byte of a head to its end, however slowly they come."""
            if self._answers():
                self._forget()
            elif self.timer is None:
                self.timer = self.loop.call_later(seconds, self.transport.abort)

        def _forget(self) -> None:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

        def _answers(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

    return Timed
