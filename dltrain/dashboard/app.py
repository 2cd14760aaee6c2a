"""Defines the pages of the board and what they read: GET alone, from the files of one folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from dltrain.base.errors import ConfigError
from dltrain.dashboard.details import (
    changed,
    comparison_details,
    history_of,
    log_of,
    run_details,
    small_curve,
    sweep_details,
)
from dltrain.dashboard.shelf import Shelf
from dltrain.pages.render import PACKAGE, render, source
from dltrain.record.record import Record

SECONDS = 1.0  # between two looks at a run that is followed
LISTING_SECONDS = 3.0  # between two looks at all runs
MOMENT = 0.2  # between two looks at whether somebody still follows
MOST_CURVES = 100  # small ones in a request
OWN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
# What a run wrote may come from a stranger. Without `allow-same-origin` its scripts can read nothing of the board.
OF_A_RUN = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'"
)
TYPES = {".html": "text/html", ".svg": "image/svg+xml"}
Names = Annotated[list[str], Query()]


def make_app(shelf: Shelf, hosts: Sequence[str], stopping: Callable[[], bool] = lambda: False) -> FastAPI:
    """Returns the board of a folder, which answers requests for these hosts alone.

    `stopping` tells whether the server is about to end, so that pages which are followed are let go.
    """

    async def left(request: Request, seconds: float) -> bool:
        """Waits, and returns whether nobody is there any more."""
        for _ in range(max(1, round(seconds / MOMENT))):
            if stopping() or await request.is_disconnected():
                return True
            await asyncio.sleep(min(MOMENT, seconds))
        return False

    app = FastAPI(title="dltrain board", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.mount("/static", StaticFiles(directory=PACKAGE / "dashboard" / "static"))

    @app.middleware("http")
    async def safely(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await following(request)
        response.headers.setdefault("Content-Security-Policy", OWN)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    @app.exception_handler(ConfigError)
    async def tell(_: Request, error: ConfigError) -> JSONResponse:
        return JSONResponse({"detail": str(error).removeprefix("--")}, status_code=404)  # here a field is meant

    for path, page in (("/", "runs"), ("/run", "run"), ("/compare", "compare"), ("/sweep", "sweep")):
        app.get(path)(_page(page, shelf))

    @app.get("/board.css")
    def style() -> Response:
        text = source("pages/templates/page.css") + source("dashboard/templates/board.css")
        return Response(str(text), media_type="text/css")

    # Functions without `async` run in threads, so that a slow disk holds nobody else up.
    @app.get("/api/runs")
    def runs(conditions: str = "") -> Any:
        return shelf.table(conditions)

    @app.get("/api/curves")
    def curves(run: Names) -> Any:
        return {name: _curve(shelf, name) for name in run[:MOST_CURVES]}

    @app.get("/api/run")
    def run_of(run: str) -> Any:
        return run_details(shelf, run)

    @app.get("/api/changed")
    def changed_of(run: str) -> Any:
        return changed(Record(shelf.directory(run, "run.json")))

    @app.get("/api/compare")
    def comparison(run: Names) -> Any:
        return comparison_details(shelf, run)

    @app.get("/api/sweep")
    def sweep_of(sweep: str) -> Any:
        return sweep_details(shelf, sweep)

    @app.get("/api/follow")
    async def follow(run: str, request: Request, after: int = 0) -> StreamingResponse:
        path = await asyncio.to_thread(shelf.directory, run, "run.json")

        def look(state: dict[str, Any]) -> dict[str, Any]:
            found = history_of(path, state["rows"])
            return {**found, "status": Record(path).status, "log": log_of(path)}

        async def events() -> AsyncIterator[str]:
            state: dict[str, Any] = {"rows": after, "log": None}
            while True:
                try:
                    seen = await asyncio.to_thread(look, state)
                except (ConfigError, OSError, ValueError):
                    yield _event("gone", {})
                    return
                state["rows"] += len(seen["rows"])
                log, state["log"] = (None if seen["log"] == state["log"] else seen["log"]), seen["log"]
                if seen["rows"] or log is not None:
                    yield _event("rows", {**seen, "log": log})
                if seen["status"] != "running":
                    yield _event("ended", {"status": seen["status"]})
                    return
                if await left(request, SECONDS):
                    return

        return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @app.get("/api/changes")
    async def changes(request: Request) -> StreamingResponse:
        """Tells when the list of runs is another."""

        def state() -> int:
            return hash(
                tuple((row.run, str(row.values.get("status")), row.values.get("seconds")) for row in shelf.rows())
            )

        async def events() -> AsyncIterator[str]:
            before = await asyncio.to_thread(state)
            while not await left(request, LISTING_SECONDS):
                now = await asyncio.to_thread(state)
                yield _event("changed", {}) if now != before else ": unchanged\n\n"
                before = now

        return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @app.get("/files/{name:path}")
    def file_of(name: str) -> Response:
        directory, _, file = name.rpartition("/")
        if not file and shelf.directory(directory, "run.json"):  # a report of a sweep links to jobs without a report
            return RedirectResponse(f"/run?run={quote(directory)}")
        suffix = file[file.rfind(".") :]
        if suffix not in TYPES:
            raise ConfigError(f"The board shows reports and pictures, and not '{name}'.")
        path = shelf.directory(directory, file) / file
        if not path.resolve().is_relative_to(shelf.folder):
            raise ConfigError(f"'{name}' leads out of the folder.")
        return Response(path.read_bytes(), media_type=TYPES[suffix], headers={"Content-Security-Policy": OF_A_RUN})

    return app


def _page(name: str, shelf: Shelf) -> Callable[[], HTMLResponse]:
    content = render(f"dashboard/templates/{name}.html", page=name, folder=str(shelf.folder))

    def page() -> HTMLResponse:
        return HTMLResponse(content)

    return page


def _curve(shelf: Shelf, name: str) -> list[float]:
    try:
        return small_curve(shelf.directory(name, "run.json"))
    except (ConfigError, OSError, ValueError):  # damaged, or gone since it was listed
        return []


def _event(kind: str, content: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(content)}\n\n"
