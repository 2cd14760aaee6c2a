"""The web service of a run, asked as its users ask it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dltrain
from dltrain.cli.main import main

pytest.importorskip("fastapi", reason="needs the extra `serve`")
httpx = pytest.importorskip("httpx2", reason="FastAPI's test client needs httpx2")

QUICK = ("score_test=always", "model=linear", "callbacks=learning_rate", "quiet=true")
JSON = {"content-type": "application/json"}
HALF_A_BODY = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def run(run_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose columns and classes try to break out of the page."""
    root = tmp_path_factory.mktemp("served")
    rows = 60
    generator = np.random.default_rng(0)
    lines = [
        f"{generator.normal():.3f},{generator.choice(['red', '<b>', ''])},{'yes' if n % 2 else '<no>'}"
        for n in range(rows)
    ]
    header = '"num ""ber""","<script>alert(""x"")</script>",answer'
    (root / "table.csv").write_text("\n".join([header, *lines]) + "\n")
    return Path(
        run_in(root / "run", "dataset=csv", f"dataset.path={root / 'table.csv'}", "dataset.target=answer", *QUICK).path
    )


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[Any]:
    from fastapi.testclient import TestClient

    from dltrain.serving.app import make_app

    app = make_app(dltrain.load(run), max_rows=50, max_bytes=20_000, wait=0.001)
    with TestClient(app) as test_client:
        yield test_client


def row(number: Any = 1.0, word: Any = "red", **more: Any) -> dict[str, Any]:
    return {'num "ber"': number, HOSTILE: word, **more}


class TestPredict:
    def test_answers_are_those_of_the_model(self, client: Any, run: Path) -> None:
        import pandas as pd

        from dltrain.inference.unusual import UnusualRows

        rows = [row(), row(None, None), row(-1, "strange", extra=3)]
        reply = client.post("/predict", json={"rows": rows})
        assert reply.status_code == 200
        found = reply.json()
        expected = dltrain.load(run).predict(pd.DataFrame(rows))
        assert [each["prediction"] for each in found["rows"]] == list(expected["prediction"])
        for name in ("yes", "<no>"):
            probabilities = [each["probabilities"][name] for each in found["rows"]]
            np.testing.assert_allclose(probabilities, expected[f"probability_{name}"], rtol=1e-6)
        assert found["ignored"] == ["extra"]
        assert found["unknown"] == {HOSTILE: ["strange"]}
        with pytest.warns(UnusualRows) as told:
            dltrain.load(run).predict(pd.DataFrame(rows))
        assert found["notes"] == str(told[0].message).splitlines()
        assert found["notes"][0].startswith("ignored: extra")

    @pytest.mark.parametrize(
        ("rows", "column", "words"),
        [
            ([row(), {'num "ber"': 1}], HOSTILE, "Field required"),
            ([row(), row("abc")], 'num "ber"', "valid number"),
            ([row(), row(1, [2])], HOSTILE, "valid"),
        ],
    )
    def test_bad_rows_are_named(self, client: Any, rows: Any, column: str, words: str) -> None:
        reply = client.post("/predict", json={"rows": rows})
        assert reply.status_code == 422
        fault = reply.json()["detail"][0]
        assert (fault["row"], fault["column"]) == (1, column)
        assert words in fault["message"]

    @pytest.mark.parametrize(
        ("cells", "column", "words"),
        [
            (2**63, HOSTILE, "within 64 bits"),
            (10**24, HOSTILE, "within 64 bits"),
            ("\ud800", HOSTILE, "half a character"),
            (1e308, 'num "ber"', "less than or equal"),
        ],
    )
    def test_cell_that_nothing_can_hold_is_named(self, client: Any, cells: Any, column: str, words: str) -> None:
        bad = row(cells) if column == 'num "ber"' else row(1, cells)
        reply = client.post("/predict", content=json.dumps({"rows": [row(), bad]}), headers=JSON)
        assert reply.status_code == 422
        (fault,) = reply.json()["detail"]
        assert (fault["row"], fault["column"]) == (1, column)
        assert words in fault["message"]

    def test_what_the_model_does_not_take_may_be_anything(self, client: Any) -> None:
        nested: Any = [1]
        for _ in range(200):
            nested = [nested]
        body = json.dumps({"rows": [row(1, "red", big=10**400, nested=nested)]})
        reply = client.post("/predict", content=body, headers=JSON)
        assert reply.status_code == 200
        assert reply.json()["ignored"] == ["big", "nested"]

    @pytest.mark.parametrize("cell", ["[" * 5_000 + "]" * 5_000, "1" * 5_000])
    def test_json_that_python_cannot_read_is_refused(self, client: Any, cell: str) -> None:
        body = json.dumps({"rows": [row("CELL")]}).replace('"CELL"', cell)
        reply = client.post("/predict", content=body, headers=JSON)
        assert reply.status_code == 422
        assert "nested too deeply" in reply.json()["detail"][0]["message"]

    def test_infinite_numbers_and_bad_json_are_refused(self, client: Any) -> None:
        bodies = (
            json.dumps({"rows": [row(0)]}).replace(": 0", ": 1e999"),
            "{",
            "[]",
            '{"rows": []}',
            json.dumps({"rows": [row(float("nan"))]}),
        )
        for body in bodies:
            reply = client.post("/predict", content=body, headers=JSON)
            assert reply.status_code == 422, body
            assert reply.json()["detail"]

    def test_limits_answer_413_in_words(self, client: Any) -> None:
        reply = client.post("/predict", json={"rows": [row()] * 51})
        assert reply.status_code == 413
        assert "51 rows are too many" in reply.json()["detail"]
        reply = client.post("/predict", json={"rows": [row(1, "x" * 30_000)]})
        assert reply.status_code == 413
        assert "at most 20,000 bytes" in reply.json()["detail"]
        reply = client.post("/predict", content=(b"x" * 1_000 for _ in range(30)))  # no length is announced
        assert reply.status_code == 413

    def test_health_metrics_and_schema(self, client: Any, run: Path) -> None:
        assert client.get("/health").json() == {"status": "ok", "run": run.name}
        client.post("/predict", json={"rows": [row()] * 3})
        text = client.get("/metrics").text
        assert 'dltrain_requests_total{path="/predict",status="200"}' in text
        assert "dltrain_batch_rows_bucket" in text
        assert client.get("/nowhere").status_code == 404
        schema = client.get("/openapi.json").json()
        properties = schema["components"]["schemas"]["Row"]["properties"]
        assert set(properties) == {'num "ber"', HOSTILE}
        assert sorted(schema["components"]["schemas"]["Row"]["required"]) == sorted(properties)

    def test_pages_escape_what_comes_from_the_data(self, client: Any) -> None:
        for path in ("/", "/docs"):
            reply = client.get(path)
            assert reply.status_code == 200
            assert HOSTILE not in reply.text
            assert "http://" not in reply.text
            assert "https://" not in reply.text
            assert "default-src 'none'" in reply.headers["content-security-policy"]

    def test_requests_in_one_moment_share_a_call(self, run: Path) -> None:

        from dltrain.serving.app import make_app

        app = make_app(dltrain.load(run), max_rows=50, max_bytes=20_000, wait=0.05)

        async def ask() -> tuple[list[Any], str]:
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://here") as asker,
            ):
                posts = [asker.post("/predict", json={"rows": [row(n / 10)]}) for n in range(20)]
                replies = await asyncio.gather(*posts)
                return [reply.json()["rows"][0] for reply in replies], (await asker.get("/metrics")).text

        answers, metrics = asyncio.run(ask())
        counted = {line.split()[0]: line.split()[1] for line in metrics.splitlines() if not line.startswith("#")}
        assert float(counted["dltrain_rows_total"]) == 20
        assert float(counted["dltrain_batch_rows_count"]) < 5
        import pandas as pd

        expected = dltrain.load(run).predict(pd.DataFrame([row(n / 10) for n in range(20)]))["probability_yes"]
        np.testing.assert_allclose([each["probabilities"]["yes"] for each in answers], expected, rtol=1e-5)


def test_bad_requests_fail_alone_and_others_still_share_a_call(run: Path) -> None:
    from dltrain.serving.app import make_app

    app = make_app(dltrain.load(run), max_rows=50, max_bytes=20_000, wait=0.1)
    bad = (row(1, 2**63), row(1, "\ud800"), row(1e308))

    async def ask() -> tuple[list[Any], str]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://here") as asker,
        ):
            bodies = [json.dumps({"rows": [each]}) for each in (*[row()] * 8, *bad, *[row()] * 8)]
            replies = await asyncio.gather(*(asker.post("/predict", content=body, headers=JSON) for body in bodies))
            return [reply.status_code for reply in replies], (await asker.get("/metrics")).text

    codes, metrics = asyncio.run(ask())
    assert codes == [200] * 8 + [422] * 3 + [200] * 8
    counted = {line.split()[0]: line.split()[1] for line in metrics.splitlines() if not line.startswith("#")}
    assert float(counted["dltrain_rows_total"]) == 16
    assert float(counted["dltrain_batch_rows_count"]) < 5


def test_images_and_engineered_columns_are_served(run_in: Any, tmp_path: Path) -> None:
    import tensorflow as tf
    from fastapi.testclient import TestClient

    from dltrain.serving.app import make_app

    run_in(tmp_path / "image", "dataset.kind=image", "dataset.image_size=4", "dataset.problem=regression", *QUICK)
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4, 1)
    picture = base64.b64encode(tf.io.encode_png(pixels).numpy()).decode()
    with TestClient(make_app(dltrain.load(tmp_path / "image"), max_rows=9, max_bytes=9_999, wait=0)) as asker:
        reply = asker.post("/predict", json={"rows": [{"image": picture}]})
        assert reply.status_code == 200
        assert isinstance(reply.json()["rows"][0]["prediction"], float)
        for bad in ("@@", base64.b64encode(b"no image").decode()):
            reply = asker.post("/predict", json={"rows": [{"image": bad}]})
            assert reply.status_code == 422
            assert "image" in reply.json()["detail"]
        assert 'type="file"' in asker.get("/").text


def test_bad_arguments_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(run), "--port", "99999", "--max-rows", "0"]) == 2
    told = capsys.readouterr().err
    assert "--port 99999" in told
    assert "--max-rows 0" in told


class Server:
    """`dltrain serve`, or a server of other code, in a process of its own."""

    def __init__(self, run: Path, *words: str, code: str | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "dltrain", "serve", str(run), "--port", str(port), *words]
        if code is not None:  # another server
            command = [sys.executable, "-c", code, str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(600):
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate()[1])
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def post(self, rows: list[Any]) -> Any:
        body = json.dumps({"rows": rows}).encode()
        request = urllib.request.Request(f"{self.url}/predict", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.mark.slow
def test_sigterm_answers_what_is_in_flight(run: Path) -> None:
    server = Server(run, "--wait", "1000")
    try:
        found: list[Any] = []
        asker = threading.Thread(target=lambda: found.append(server.post([row()])))
        asker.start()
        time.sleep(0.3)
        os.kill(server.process.pid, signal.SIGTERM)
        asker.join(20)
        assert found
        assert found[0]["rows"][0]["prediction"] in ("yes", "<no>")
        assert server.process.wait(20) == 143
        assert "Traceback" not in server.process.stderr.read()  # type: ignore[union-attr]
    finally:
        server.close()


BARE = """
import sys
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
class Rows(BaseModel):
    rows: list[dict]
app = FastAPI()
@app.get("/health")
def health():
    return {}
@app.post("/predict")
async def predict(body: Rows):
    return {"rows": [{"number": row["num \\"ber\\""]} for row in body.rows]}
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
CLIENTS, POSTS = 64, 25


@pytest.mark.slow
def test_no_answer_of_many_clients_is_lost(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = answers_of(run)
    with running(run) as served, running(run, BARE) as bare:
        seconds = {"dltrain serve": load(served, expected), "a bare handler without a model": load(bare, None)}
    with capsys.disabled():
        for name, each in seconds.items():
            low, high = np.percentile(each, [50, 99]) * 1000
            print(f"\n{CLIENTS} clients, {len(each)} answers of {name}: p50 {low:.1f} ms, p99 {high:.1f} ms", end="")
        print()
    assert all(len(each) == CLIENTS * POSTS for each in seconds.values())


def answers_of(run: Path) -> list[float]:
    """The probability of `yes` for the number of each client."""
    import pandas as pd

    return list(
        dltrain.load(run).predict(pd.DataFrame([row(client / 10) for client in range(CLIENTS)]))["probability_yes"]
    )


@contextlib.contextmanager
def running(run: Path, code: str | None = None) -> Iterator[Server]:
    server = Server(run, code=code)
    try:
        yield server
    finally:
        server.close()


def load(server: Server, expected: list[float] | None) -> list[float]:
    """Posts row after row from many clients at once; returns the seconds to each answer, which is the client's own."""
    together, seconds = threading.Barrier(CLIENTS), []

    def client(number: int) -> None:
        with httpx.Client(base_url=server.url, timeout=30) as asker:
            together.wait()
            for _ in range(POSTS):
                began = time.perf_counter()
                reply = asker.post("/predict", json={"rows": [row(number / 10)]})
                took = time.perf_counter() - began
                (answer,) = reply.json()["rows"]
                if expected is None:
                    assert answer == {"number": number / 10}
                else:
                    assert answer["probabilities"]["yes"] == pytest.approx(expected[number], abs=1e-6)
                seconds.append(took)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    return seconds


@pytest.mark.slow
@pytest.mark.parametrize(
    "half", [b"POST /predict HTTP/1.1\r\nHost: a\r\n", b"", HALF_A_BODY], ids=["head", "none", "body"]
)
def test_half_sent_requests_are_ended_while_others_are_answered(run: Path, half: bytes) -> None:
    server = Server(run, "--request-timeout", "2", "--max-connections", "60")
    sockets = [socket.create_connection(("127.0.0.1", server.port), 20) for _ in range(50)]
    try:
        for each in sockets:
            each.sendall(half)
        began = time.monotonic()
        assert server.post([row()])["rows"]
        assert time.monotonic() - began < 2
        for each in sockets:
            ended = b""
            with contextlib.suppress(ConnectionResetError):
                while got := each.recv(4096):
                    ended += got
            assert ended.startswith(b"HTTP/1.1 408") == (half == HALF_A_BODY)
        assert time.monotonic() - began < 8
        assert server.post([row()])["rows"]
    finally:
        for each in sockets:
            each.close()
        server.close()


@pytest.mark.slow
def test_sigterm_ends_although_a_request_is_half_sent(run: Path) -> None:
    server = Server(run, "--request-timeout", "60", "--shutdown-timeout", "2")
    try:
        with socket.create_connection(("127.0.0.1", server.port), 20) as held:
            held.sendall(HALF_A_BODY)
            time.sleep(0.5)
            began = time.monotonic()
            os.kill(server.process.pid, signal.SIGTERM)
            assert server.process.wait(20) == 143
            assert time.monotonic() - began < 6
            assert "Traceback" not in server.process.stderr.read()  # type: ignore[union-attr]
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
def test_form_works_in_a_browser(run: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    server = Server(run)
    try:
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            for scheme in ("light", "dark"):
                page = browser.new_page(color_scheme=scheme, viewport={"width": 360, "height": 740})
                faults: list[str] = []
                page.on("console", lambda message, faults=faults: faults.append(message.text))
                page.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
                page.on("dialog", lambda dialog, faults=faults: (faults.append("dialog"), dialog.dismiss()))
                requests: list[str] = []
                page.on("request", lambda request, requests=requests: requests.append(request.url))
                page.goto(server.url)
                page.get_by_label('num "ber"').fill("0.5")
                page.get_by_label(HOSTILE).select_option("red")
                page.keyboard.press("Tab")
                page.get_by_role("button", name="Predict").press("Enter")
                page.wait_for_selector("#prediction")
                expected = server.post([row(0.5)])["rows"][0]
                assert page.inner_text("#prediction") == f"Prediction: {expected['prediction']}"
                assert page.locator("#answer tr").count() == 2
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                page.get_by_role("link", name="How to call it").click()
                page.wait_for_selector("table")
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                assert faults == []
                assert all(url.startswith((server.url, "data:")) for url in requests)
                page.close()
            browser.close()
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed")
def test_axe_finds_no_violation_on_the_pages(client: Any) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

    def answer(route: Any) -> None:
        asked = route.request
        given = client.request(asked.method, asked.url, content=asked.post_data_buffer, headers=JSON)
        route.fulfill(status=given.status_code, headers=dict(given.headers), body=given.content)

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme, width in (("light", 390), ("dark", 1366)):
            page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
            page.route("**/*", answer)
            for path in ("/", "/docs"):
                page.goto(f"http://testserver{path}")
                if path == "/":
                    page.get_by_role("button").click()
                    page.wait_for_selector("#answer *")
                found = axe.Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
                assert len(found.response["passes"]) > 10
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
            page.close()
        browser.close()
