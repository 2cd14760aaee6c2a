"""The board as a browser asks it: its pages, what it refuses, and its following of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltrain.dashboard.app import make_app
from dltrain.dashboard.shelf import Shelf

pytest.importorskip("httpx2", reason="FastAPI's test client needs httpx2")
from fastapi.testclient import TestClient

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "outputs").mkdir(exist_ok=True)
    return TestClient(make_app(Shelf(tmp_path / "outputs"), ["127.0.0.1"]), base_url="http://127.0.0.1:8008")


def test_every_page_allows_nothing_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/run", "/compare", "/sweep", "/board.css", "/static/board.js", "/static/uplot.js"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in answer.headers["content-security-policy"]


def test_other_hosts_and_changes_are_refused(client: TestClient) -> None:
    assert client.get("/api/runs", headers={"host": "evil.example"}).status_code == 400
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)("/api/runs").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/api/run?run=nothing",
        "/api/run?run=..",
        "/api/sweep?sweep=a",
        "/api/compare?run=a&run=..%2F..",
        "/api/compare?run=a",
        "/api/runs?conditions=nonsense",
        "/files/a/run.json",
        "/files/",
        "/files/a/%2e%2e/%2e%2e/secret.html",
        "/files/a/linked.html",
        "/api/follow?run=none",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
    ],
)
def test_what_is_not_there_is_told(
    client: TestClient, tmp_path: Path, write_run: Callable[..., Path], path: str
) -> None:
    run = write_run("a")
    (tmp_path / "secret.html").write_text("secret")
    (run / "linked.html").symlink_to(tmp_path / "secret.html")
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.html", "")
    assert answer.json()["detail"]


def test_a_strangers_report_cannot_read_the_board(client: TestClient, write_run: Callable[..., Path]) -> None:
    run = write_run("a b")
    (run / "report.html").write_text("<script>fetch('/api/runs')</script>")
    (run / "plots").mkdir()
    (run / "plots" / "x.svg").write_text("<svg/>")
    for file, kind in (("report.html", "text/html"), ("plots/x.svg", "image/svg+xml")):
        answer = client.get(f"/files/a b/{file}")
        assert answer.headers["content-type"].startswith(kind)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-scripts; default-src 'none'")
        assert "same-origin" not in policy
        assert "connect-src" not in policy


def test_a_link_to_a_job_without_a_report_shows_its_run(client: TestClient, write_run: Callable[..., Path]) -> None:
    write_run("s/a b#1")
    answer = client.get("/files/s/a b%231/", follow_redirects=False)
    assert answer.headers["location"] == "/run?run=s/a%20b%231"
    assert client.get("/files/s/").status_code == 404


def test_hostile_names_stay_text(client: TestClient, write_run: Callable[..., Path]) -> None:
    write_run("a", overrides=[HOSTILE], data={"name": HOSTILE}, error=HOSTILE, choices={"model": HOSTILE})
    found = client.get("/api/runs").json()
    assert found["rows"][0]["dataset"] == HOSTILE
    assert client.get("/api/run?run=a").json()["facts"]["dataset"] == HOSTILE
    static = Path(sys.modules["dltrain.dashboard.app"].__file__ or "").parent / "static"
    for script in ("board", "runs", "run", "compare", "sweep"):
        text = (static / f"{script}.js").read_text("utf-8")
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text


def events(answer: Any) -> list[tuple[str, Any]]:
    parts = [part for part in answer.text.split("\n\n") if part.startswith("event")]
    return [(p.split("\n")[0].removeprefix("event: "), json.loads(p.split("data: ")[1])) for p in parts]


def test_a_run_is_followed_to_its_end(
    client: TestClient, write_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dltrain.dashboard.app.SECONDS", 0.01)
    run = write_run("a", status="running")
    record = json.loads((run / "run.json").read_text())
    seen = iter(range(3))

    def grow(_: float) -> Any:
        place = next(seen, None)
        if place == 0:
            (run / "history.csv").write_text("epoch,loss\n1,0.9\n2,0.5\n3,0.4\n4,0.3\n")
        elif place == 1:  # its process is gone without a word
            (run / "run.json").write_text(json.dumps(record | {"pid": 2**22 + 1}))
        return real(0)

    import asyncio

    real = asyncio.sleep
    monkeypatch.setattr("dltrain.dashboard.app.asyncio.sleep", grow)
    told = events(client.get("/api/follow?run=a&after=1"))
    assert [kind for kind, _ in told] == ["rows", "rows", "ended"]
    assert [len(content["rows"]) for kind, content in told if kind == "rows"] == [2, 1]
    assert told[0][1]["log"] == "epoch 3: loss 0.4\n"
    assert told[1][1]["log"] is None
    assert told[-1][1] == {"status": "died"}


def test_a_directory_that_vanishes_is_told(
    client: TestClient, write_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run("a", status="running")
    import asyncio

    real = asyncio.sleep
    monkeypatch.setattr(
        "dltrain.dashboard.app.asyncio.sleep", lambda _: (run / "run.json").unlink(missing_ok=True) or real(0)
    )
    assert [kind for kind, _ in events(client.get("/api/follow?run=a"))] == ["rows", "gone"]
    assert client.get("/api/curves?run=a").json() == {"a": []}


def test_neither_tensorflow_nor_keras_is_loaded() -> None:
    code = (
        "import sys, dltrain.dashboard.app, dltrain.dashboard.serve; "
        "print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
