"""Defines the web service of a run: POST /predict, GET /health and /metrics, the form at / and the page /docs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException

from dltrain.base.errors import DltrainError
from dltrain.inference.model import Model
from dltrain.serving.batching import Batcher
from dltrain.serving.limits import BodyLimit
from dltrain.serving.page import docs_page, form_page
from dltrain.serving.predictor import Predictor
from dltrain.serving.schema import Answers, example, rows_model

ROWS_TOGETHER = 4_096
MOST_UNKNOWN = 10  # words of a column that a response lists
SAFE = {
    # The pages are self-contained, and nothing may be loaded from elsewhere.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
}


class _Meters:
    """The metrics that Prometheus reads, of this app alone."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dltrain_requests_total", "Requests by path and status.", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "dltrain_request_seconds", "Seconds from request to answer.", ["path"], registry=self.registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )  # fmt: skip
        self.rows = Counter("dltrain_rows_total", "Rows predicted.", registry=self.registry)
        self.batches = Histogram(
            "dltrain_batch_rows", "Rows that went through the model together.", registry=self.registry,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096),
        )  # fmt: skip
        self.in_flight = Gauge("dltrain_requests_in_flight", "Requests without an answer yet.", registry=self.registry)

    def batch(self, rows: int) -> None:
        """Counts one call of the model."""
        self.rows.inc(rows)
        self.batches.observe(rows)


def make_app(model: Model, *, max_rows: int, max_bytes: int, wait: float, seconds: float = 10.0) -> FastAPI:
    """Returns the service of a run's model.

    `max_rows` and `max_bytes` limit a request; `wait` is the time in seconds that a request waits for others, to be
    predicted together with them; `seconds` that in which its body has to come.
    """
    predictor, meters, signature = Predictor(model), _Meters(), model.signature
    batcher = Batcher(predictor.answer, wait=wait, max_rows=ROWS_TOGETHER, on_batch=meters.batch)
    rows_type = rows_model(signature)
    fields = {f"column_{place}": name for place, name in enumerate(signature.needed)}
    title = f"{model.record.facts.get('data', {}).get('name', 'model')}: {', '.join(signature.target)}"
    pages = {"/": form_page(signature, title), "/docs": docs_page(signature, title, max_rows, max_bytes)}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if not any(column.kind == "image" for column in signature.columns):
            predictor.answer([example(signature)])  # the first call traces the graph
        batcher.start()
        yield
        await batcher.stop()

    app = FastAPI(title=title, lifespan=lifespan, docs_url=None, redoc_url=None)

    @app.middleware("http")
    async def measure(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        path = request.url.path if request.url.path in ("/predict", "/health", "/metrics", *pages) else "other"
        with meters.in_flight.track_inprogress():
            response = await following(request)
        meters.requests.labels(path, response.status_code).inc()
        meters.seconds.labels(path).observe(time.perf_counter() - began)
        return response

    app.add_middleware(BodyLimit, max_bytes=max_bytes, seconds=seconds)

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        # Without the values received, because JSON cannot hold an infinite one.
        return JSONResponse({"detail": [_fault(each) for each in error.errors()[:20]]}, status_code=422)

    @app.exception_handler(HTTPException)
    async def refuse_json(request: Request, error: HTTPException) -> Response:
        # The reader of JSON gives up on deep nesting and on numbers of thousands of digits.
        if error.status_code != 400 or request.url.path != "/predict":
            return await http_exception_handler(request, error)
        words = "It is nested too deeply, has too long a number, or is not UTF-8."
        return JSONResponse({"detail": [{"message": words, "place": "body"}]}, status_code=422)

    async def predict(body: Any) -> Response:
        if len(body.rows) > max_rows:
            words = f"{len(body.rows):,} rows are too many for one request; expected at most {max_rows:,}."
            return JSONResponse({"detail": words}, status_code=413)
        rows = [{name: getattr(row, field) for field, name in fields.items()} for row in body.rows]
        try:
            answers = await batcher.submit(rows)
        except DltrainError as error:
            return JSONResponse({"detail": str(error)}, status_code=422)
        ignored = sorted({name for row in body.rows for name in row.model_extra or ()})
        unknown = {name: sorted(words)[:MOST_UNKNOWN] for name, words in predictor.unknown(rows).items()}
        notes = predictor.notes(rows, ignored)
        return JSONResponse({"rows": answers, "ignored": ignored, "unknown": unknown, "notes": notes})

    predict.__annotations__ = {"body": rows_type, "return": Response}
    too_large: dict[int | str, Any] = {413: {"description": "The body or the number of rows is too large."}}
    app.post("/predict", response_model=Answers, summary="Predict rows", responses=too_large)(predict)

    @app.get("/health", summary="Whether the service is up")
    async def health() -> dict[str, str]:
        return {"status": "ok", "run": model.record.path.name}

    @app.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)

    for path, content in pages.items():
        app.get(path, include_in_schema=False)(_page(content))
    return app


def _page(content: str) -> Callable[[], Awaitable[HTMLResponse]]:
    async def page() -> HTMLResponse:
        return HTMLResponse(content, headers=SAFE)

    return page


def _fault(error: Any) -> dict[str, Any]:
    place = list(error["loc"][1:])
    fault: dict[str, Any] = {"message": error["msg"]}
    if place[:1] == ["rows"] and len(place) > 1:
        fault["row"] = place[1]
    if len(place) > 2:
        fault["column"] = place[2]
    return fault | ({} if "row" in fault else {"place": ".".join(map(str, place))})
