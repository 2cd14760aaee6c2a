"""Implements `dltrain serve RUN`, which serves a run's model over HTTP."""

from __future__ import annotations

import argparse

from dltrain.base.distribution import install
from dltrain.base.errors import ConfigError
from dltrain.base.show import show
from dltrain.verbs import TRUST, Verb, argument, run_of

EXAMPLES = """\
POST /predict takes {"rows": [{"age": 30, ...}, ...]}; / is a form to try single rows, /docs describes the columns,
/openapi.json is for client generators, /health and /metrics (Prometheus) are for those who run it. Requests that arrive
together go through the model together. Ctrl-C or SIGTERM answers what is in flight, then stops. It listens on this
machine alone unless --host says otherwise, and asks nobody for a password: put it behind a server that does before
others can reach it.

  dltrain serve outputs/2026-01-31/14-05-09_titanic_mlp
  dltrain serve RUN --port 9000 --max-rows 100
"""


def _run(given: argparse.Namespace) -> int:
    _check(given)

    from dltrain.api.commands import terminating
    from dltrain.record.record import Record
    from dltrain.record.signature import Signature
    from dltrain.record.trust import require_trusted

    given.run = run_of(given.run)
    record = Record(given.run)
    Signature.of(record)
    require_trusted(record, trust=given.trust, verb="serve")
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise ConfigError(f"dltrain serve needs {error.name}: {install('serve')}.") from error
    from dltrain.internals import tensorflow_quietly

    tensorflow_quietly.load()
    from dltrain.inference.model import Model
    from dltrain.serving.app import make_app
    from dltrain.serving.connection import timed_protocol

    app = make_app(
        Model(given.run),
        max_rows=given.max_rows,
        max_bytes=given.max_bytes,
        wait=given.wait / 1000,
        seconds=given.request_timeout,
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=given.host,
            port=given.port,
            http=timed_protocol(seconds=given.request_timeout, connections=given.max_connections),
            limit_concurrency=given.max_connections,
            timeout_graceful_shutdown=given.shutdown_timeout,
            log_level="warning",
            access_log=False,
            lifespan="on",
        )
    )
    # uvicorn answers the running requests and then raises the signal again, which calls this handler.
    with terminating():
        show(f"serving {given.run} on http://{given.host}:{given.port} (Ctrl-C stops)", flush=True)
        server.run()
    return 0 if server.started else 1


VERB = Verb(
    name="serve",
    summary="A run's model as a web service.",
    description=f"The model of a finished run as a web service (needs: {install('serve')}).",
    examples=EXAMPLES,
    arguments=(
        argument("run", metavar="RUN", help="directory of a completed run, or of a sweep, whose best job is taken"),
        TRUST,
        argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"),
        argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)"),
        argument("--max-rows", type=int, default=1_000, help="rows of a request (default: %(default)s)"),
        argument("--max-bytes", type=int, default=10_000_000, help="bytes of a request's body (default: %(default)s)"),
        argument(
            "--wait",
            type=float,
            default=2.0,
            metavar="MILLISECONDS",
            help="that a request waits for others to go through the model with it (default: %(default)s)",
        ),
        argument(
            "--request-timeout",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="in which the head of a request, and then its body, has to come (default: %(default)s)",
        ),
        argument(
            "--shutdown-timeout",
            type=int,
            default=10,
            metavar="SECONDS",
            help="for requests in flight after Ctrl-C or SIGTERM (default: %(default)s)",
        ),
        argument(
            "--max-connections",
            type=int,
            default=500,
            metavar="N",
            help="at a time; the next one is answered 503, further ones are closed (default: %(default)s)",
        ),
    ),
    function=_run,
)


def _check(given: argparse.Namespace) -> None:
    faults = [
        f"--{name.replace('_', '-')} {value}: expected {expected}."
        for name, value, expected, right in (
            ("port", given.port, "a port from 0 to 65535", 0 <= given.port <= 65535),
            ("max_rows", given.max_rows, "1 or more", given.max_rows >= 1),
            ("max_bytes", given.max_bytes, "1 or more", given.max_bytes >= 1),
            ("request_timeout", given.request_timeout, "0.1 to 3600 seconds", 0.1 <= given.request_timeout <= 3600),
            ("shutdown_timeout", given.shutdown_timeout, "1 to 3600 seconds", 1 <= given.shutdown_timeout <= 3600),
            ("max_connections", given.max_connections, "2 or more", given.max_connections >= 2),
            ("wait", given.wait, "0 to 1000 milliseconds", 0 <= given.wait <= 1000),
        )
        if not right
    ]
    if faults:
        raise ConfigError(faults)
