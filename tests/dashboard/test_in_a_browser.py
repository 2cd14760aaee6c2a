"""The board in headless Chromium: what it draws, how it grows, and what Axe finds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dltrain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

HOSTILE = '<img src=x onerror="alert(1)">'
NARROW, WIDE = {"width": 390, "height": 800}, {"width": 1280, "height": 900}


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "outputs").mkdir(exist_ok=True)
    shown = dltrain.board(tmp_path / "outputs")
    yield shown
    shown.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()


class Watched:
    """A page with whatever goes wrong on it, and the addresses that it asks for."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type != "log" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.faults.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))


def until(page: Any, expression: str) -> None:
    """Waits for an expression to be true; the policy of the page lets Playwright's own waiting not run."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(expression)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["narrow", "wide"])
def test_each_page_is_whole_and_open_to_everybody(
    board: Any, browser: Any, write_run: Callable[..., Path], write_sweep: Callable[..., Path], scheme: str, size: Any
) -> None:
    write_run("a", overrides=[HOSTILE], data={"name": HOSTILE})
    write_run("b", score=0.9, settings={"seed": 7})
    write_sweep("s")
    watched = Watched(browser, color_scheme=scheme, viewport=size)
    page = watched.page
    for path, ready in (
        ("", "#runs tbody tr"),
        ("run?run=a", "#commands pre"),
        ("compare?run=a&run=b", "#differ table"),
        ("sweep?sweep=s", "#jobs table"),
    ):
        page.goto(board.url + path)
        page.wait_for_selector(ready)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.locator("#fault").is_hidden()
    assert watched.faults == []
    assert all(url.startswith(board.url) for url in watched.asked)
    page.close()


def test_runs_are_sorted_searched_filtered_and_chosen(board: Any, browser: Any, write_run: Callable[..., Path]) -> None:
    for place in range(3):
        write_run(f"r{place}", score=0.7 + place / 10, overrides=["dataset=wine", f"seed={place}"])
    watched = Watched(browser, viewport=WIDE)
    page = watched.page
    page.goto(board.url)
    names = page.locator("#runs td.typed a")
    page.get_by_role("button", name="validation").click()
    assert [names.nth(n).inner_text() for n in range(3)] == [f"dataset=wine seed={n}" for n in (2, 1, 0)]
    page.get_by_role("button", name="validation").press("Enter")
    assert names.first.inner_text() == "dataset=wine seed=0"
    page.get_by_label("Search").fill("seed=1")
    assert names.count() == 1
    page.get_by_label("Search").fill("")
    page.get_by_label("Filter").fill("accuracy>0.75")
    until(page, "document.querySelector('#count').textContent.startsWith('2 of 2')")
    page.get_by_label("Filter").fill("accuracy>")
    page.wait_for_selector("#fault:not([hidden])")
    assert page.inner_text("#fault").startswith("filter: ")
    assert "expected a number" in page.inner_text("#fault")
    below = "document.querySelector('#fault').compareDocumentPosition(document.querySelector('#runs'))"
    assert page.evaluate(f"Boolean({below} & Node.DOCUMENT_POSITION_FOLLOWING)")  # seen above a long table
    page.get_by_label("Filter").fill("")
    page.get_by_label("Compare r0").check()
    page.get_by_label("Compare r2").check()
    page.get_by_role("button", name="Compare 2 runs").click()
    page.wait_for_selector("#verdict p")
    page.close()


def test_curves_grow_and_a_killed_run_is_seen_as_such(board: Any, browser: Any, write_run: Callable[..., Path]) -> None:
    run = write_run("a", status="running")
    record = json.loads((run / "run.json").read_text())
    watched = Watched(browser, viewport=WIDE)
    page = watched.page
    page.goto(f"{board.url}run?run=a")
    page.wait_for_selector("#curves canvas")
    assert page.inner_text("#status") == "running"
    (run / "history.csv").write_text("epoch,loss,val_loss\n1,0.9,0.8\n2,0.5,0.6\n3,0.4,0.55\n4,0.2,0.3\n")
    (run / "dltrain.log").write_text("epoch 4: loss 0.2\n")
    until(page, "charts.get('loss').data[0].length === 4")
    assert "epoch 4" in page.inner_text("#log")
    (run / "run.json").write_text(json.dumps(record | {"pid": 2**22 + 1}))
    until(page, "document.querySelector('#status').textContent === 'died'")
    assert watched.faults == []
    page.close()


def test_long_marks_of_an_axis_are_whole(board: Any, browser: Any, write_run: Callable[..., Path]) -> None:
    run = write_run("a")
    (run / "history.csv").write_text("epoch,loss,val_loss\n1,1900000,1800000\n2,500000,600000\n")
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{board.url}run?run=a")
    page.wait_for_selector("#curves canvas")
    axis = "charts.get('loss').axes[1]"
    assert "1,500,000" in page.evaluate(f"{axis}._values")
    drawn = "(context => { context.font = '12px system-ui'; return context.measureText('1,500,000').width })"
    width = page.evaluate(f"{drawn}(document.createElement('canvas').getContext('2d'))")
    assert page.evaluate(f"{axis}._size") >= width + 15  # the stroke and the gap beside the marks
    page.close()


def test_a_sweep_fills_and_is_filtered(board: Any, browser: Any, write_sweep: Callable[..., Path]) -> None:
    write_sweep("s")
    watched = Watched(browser, viewport=WIDE)
    page = watched.page
    page.goto(f"{board.url}sweep?sweep=s")
    page.wait_for_selector("#jobs tbody tr")
    assert page.locator("#jobs tbody tr").count() == 2
    assert "it broke" in page.inner_text("#failed")
    assert "nadam" in page.inner_text("#running")
    page.get_by_text("Choose ranges").click()
    page.get_by_label("val_loss, to in %").fill("50")
    page.get_by_label("val_loss, to in %").press("Tab")
    assert page.locator("#jobs tbody tr").count() == 1
    assert page.inner_text("#brushed") == "1 of 2 jobs are within the chosen ranges."
    page.close()


def test_a_report_of_a_stranger_reads_nothing(board: Any, browser: Any, write_run: Callable[..., Path]) -> None:
    run = write_run("a")
    (run / "report.html").write_text(
        "<title>no</title><script>fetch('/api/runs').then(() => { document.title = 'read' }, "
        "() => { document.title = 'refused' })</script>"
    )
    page = browser.new_page()
    page.goto(f"{board.url}files/a/report.html")
    until(page, "document.title !== 'no'")
    assert page.title() == "refused"
    page.close()


def test_ten_thousand_runs_can_be_read(board: Any, browser: Any, tmp_path: Path) -> None:
    facts = {"status": "completed", "started": "2026-01-01T00:00:00+00:00", "choices": {}, "overrides": []}
    for number in range(10_000):
        run = tmp_path / "outputs" / str(number // 100) / str(number)
        run.mkdir(parents=True)
        (run / "run.json").write_text(json.dumps(facts | {"settings": {"seed": number}}))
    watched = Watched(browser, viewport=WIDE)
    page = watched.page
    page.goto(board.url)
    page.wait_for_selector("#runs tbody tr", timeout=60_000)
    assert page.inner_text("#count") == "10,000 of 10,000 runs"
    assert page.locator("#runs tbody tr").count() == 200
    page.get_by_role("button", name="Show more").click()
    assert page.locator("#runs tbody tr").count() == 400
    assert watched.faults == []
    page.close()
