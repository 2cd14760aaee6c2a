"""Serves the board, in the foreground for the command line or in a thread for a notebook."""

from __future__ import annotations

import socket
import threading
import webbrowser
from pathlib import Path
from typing import Any

from dltrain.base.distribution import install
from dltrain.base.errors import ConfigError

LOCAL = ("127.0.0.1", "localhost")
EVERYWHERE = ("0.0.0.0", "::")
HEAD_SECONDS = 10.0  # in which the head of a request has to come
MOST_CONNECTIONS = 200
GRACE_SECONDS = 3  # for pages that are being followed


class Board:
    """A board that is being served from a thread of this process.

    Attributes:
        url: Its address in a browser.
    """

    def __init__(self, server: Any, listening: socket.socket, url: str) -> None:
        self.url = url
        self._server, self._socket = server, listening
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends it; pages that are open show what they had."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def _repr_html_(self) -> str:
        from dltrain.pages.render import render

        return render("dashboard/templates/link.html", url=self.url)

    def __repr__(self) -> str:
        return f"Board at {self.url}"


def board(folder: str | Path = "outputs", *, port: int = 0) -> Board:
    """Serves the board of a folder in the background and returns it; it ends with `stop` or with Python.

    Port 0 takes one that is free.

    >>> shown = dltrain.board("outputs")
    >>> shown.url.startswith("http://127.0.0.1:")
    True
    >>> shown.stop()

    Raises:
        ConfigError: If there is no such folder, the port is taken, or the extra `serve` is not installed.
    """
    server = make_server(folder, LOCAL[0])
    return Board(server, *listen(LOCAL[0], port))


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Returns a socket that listens, and the address of the board there."""
    try:
        listening = socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--port {port}: {host} cannot be listened on there: {reason}.") from error
    return listening, f"http://{host}:{listening.getsockname()[1]}/"


def make_server(folder: str | Path, host: str) -> Any:
    """Returns uvicorn's server of the board of a folder."""
    try:
        import uvicorn

        from dltrain.dashboard.app import make_app
        from dltrain.serving.connection import timed_protocol
    except ImportError as error:
        raise ConfigError(f"dltrain board needs {error.name}: {install('serve')}.") from error
    from dltrain.dashboard.shelf import Shelf

    server: Any = None
    # A page elsewhere may have a name that leads to this machine, and would then read the board.
    hosts = ["*"] if host in EVERYWHERE else [*LOCAL, host]
    app = make_app(Shelf(folder), hosts, lambda: server is not None and server.should_exit)
    config = uvicorn.Config(
        app,
        http=timed_protocol(seconds=HEAD_SECONDS, connections=MOST_CONNECTIONS),
        timeout_graceful_shutdown=GRACE_SECONDS,
        log_level="warning",
        access_log=False,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    return server


def open_browser(url: str) -> None:
    """Opens the page in the person's browser, if there is one."""
    threading.Timer(0.5, webbrowser.open, [url]).start()
