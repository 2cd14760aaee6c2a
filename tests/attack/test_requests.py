"""Hostile requests to the web service: each gets its answer, below 500, and good ones between them go on."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import dltrain

from .outcomes import SHARES, HungError, Outcomes, part_of, within

pytest.importorskip("fastapi", reason="needs the extra `serve`")
pytest.importorskip("httpx2", reason="FastAPI's test client needs httpx2")

HOW_MANY = 100
CELLS: tuple[Any, ...] = (
    *(None, True, "", "x", "1", "\ud800", "\x00", "\x1b[31m", "NaN", [], {}, [[1]], {"a": 1}, "9" * 10_000),
    *(0, -1, 2**63, -(2**63), 2**64, 10**400, 1e308, -1e308, 1e-320, float("nan"), float("inf"), 0.1),
)
BODIES: tuple[bytes, ...] = (
    *(
        b"",
        b"null",
        b"42",
        b"[]",
        b"{}",
        b'""',
        b"{",
        b'{"rows"',
        b'{"rows": null}',
        b'{"rows": {}}',
        b'{"rows": [[]]}',
    ),
    *(b'{"rows": []}', b'{"rows": [null]}', b'{"rows": ["x"]}', b"\xff\xfe\x00", b"[" * 100_000, b"x" * 30_000),
    *(b'{"rows": [' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"]}", b'{"rows": [{}], "rows": 5}', b"NaN"),
)
PATHS = ("/predict", "/predict/", "/", "/docs", "/openapi.json", "/health", "/metrics", "/../etc/passwd", "/%00", "//")
METHODS = ("POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH")
TYPES = ("application/json", "text/plain", "multipart/form-data", "application/json; charset=utf-16", "", "x" * 5_000)


def request(number: int, good: dict[str, Any]) -> tuple[str, str, dict[str, str], bytes]:
    """Returns method, path, headers and body, always the same for the same number."""
    chance = random.Random(number)
    body = json.dumps({"rows": [good]}).encode()
    match number % 4:
        case 0:
            rows = [{name: chance.choice(CELLS) for name in good} for _ in range(chance.choice([1, 2, 60]))]
            return "POST", "/predict", {"content-type": TYPES[0]}, json.dumps({"rows": rows}).encode()
        case 1:
            row = {**good, chance.choice([*good]): chance.choice(CELLS)}
            row |= {chance.choice(["", "x" * 1_000, "__proto__", "\x00"]): chance.choice(CELLS)}
            return "POST", "/predict", {"content-type": TYPES[0]}, json.dumps({"rows": [row, good]}).encode()
        case 2:
            return "POST", "/predict", {"content-type": TYPES[0]}, chance.choice(BODIES)
        case _:
            headers = {"content-type": chance.choice(TYPES)}
            return chance.choice(METHODS), chance.choice(PATHS), headers, chance.choice([body, *BODIES])


@SHARES
def test_requests(finished: Path, capsys: pytest.CaptureFixture[str], share: float) -> None:
    from fastapi.testclient import TestClient

    from dltrain.serving.app import make_app

    outcomes = Outcomes(capsys)
    model = dltrain.load(finished)
    good = {name: 0.5 if column.kind == "numeric" else "a" for name, column in model.signature.by_source.items()}
    with TestClient(
        make_app(model, max_rows=50, max_bytes=200_000, wait=0.001), raise_server_exceptions=False
    ) as client:
        for number in part_of(range(HOW_MANY), share):
            method, path, headers, body = request(number, good)
            try:
                with within(20):
                    reply = client.request(method, path, headers=headers, content=body)
                    again = client.post("/predict", json={"rows": [good]})
            except HungError:
                outcomes.add("hung", f"request {number}")
                continue
            fine = again.status_code == 200 and len(again.json()["rows"]) == 1
            said = method == "HEAD" or reply.status_code in (200, 307) or bool(reply.json()["detail"])
            kind = "done" if reply.status_code < 400 else "refused"
            if reply.status_code >= 500 or "Traceback" in reply.text:
                kind = "traceback"
            elif not fine or not said:
                kind = "silent"
            outcomes.add(
                kind, f"request {number}: {method} {path} {body[:200]!r}: {reply.status_code} {reply.text[:200]}"
            )
    outcomes.require_none(round(share * HOW_MANY))
