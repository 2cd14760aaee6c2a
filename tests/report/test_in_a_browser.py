"""Reports of runs, of cross-validated runs and of sweeps, opened in headless Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dltrain.cli.main import main

SMALL = ("dataset=synthetic", "dataset.rows=80", "model.units=[2]", "trainer.epochs=2", "report=true", "quiet=true")
CALLS = {
    "binary": ("dataset.problem=binary", "score_test=always"),
    "regression": ("dataset.problem=regression", "score_test=always"),
    "boundary": ("callbacks=[default,decision_boundary]", "model.units=[2]", "score_test=always"),
    "folds": ("dataset.problem=multiclass", "cv=kfold", "cv.folds=3", "score_test=always"),
    "repeated folds": ("dataset.problem=regression", "cv=repeated_kfold", "cv.folds=2", "cv.repeats=2"),
    "grid": ("-m", "optimizer=adam,sgd", "initializer=he_normal,zeros"),
    "search": ("search=random", "search.jobs=10"),
}
MEASURE = """
() => {
  const pictures = [...document.querySelectorAll("svg, img")];
  const box = each => each.getBoundingClientRect();
  const label = each => (each.getAttribute("aria-labelledby") || "").split(" ")
    .map(id => document.getElementById(id)?.textContent || "").join(" ").trim() || each.getAttribute("aria-label")
    || each.labels?.[0]?.textContent || "";
  // What is for screen readers alone is a pixel wide.
  const scrolling = [...document.querySelectorAll("*")].filter(each => each.clientWidth > 1
    && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX != "visible");
  const outside = picture => [...picture.querySelectorAll("text")].filter(each => {
    const [inner, outer] = [box(each), box(picture)];
    return inner.left < outer.left - 3 || inner.right > outer.right + 3
      || inner.top < outer.top - 3 || inner.bottom > outer.bottom + 3;
  }).map(each => `${picture.getAttribute("aria-labelledby")}: ${each.textContent}`);
  return {
    pictures: pictures.filter(each => each.matches("figure *")).length,
    empty: pictures.filter(each => box(each).width < 20 || box(each).height < 20
      || each.querySelectorAll("path, rect, circle, line").length < 5).length,
    unnamed: pictures.filter(each => !label(each)).length,
    outside: pictures.flatMap(outside),
    without_keyboard: scrolling.filter(each => each.tabIndex < 0).map(each => each.outerHTML.slice(0, 80)),
    without_label: scrolling.filter(each => !label(each)).map(each => each.outerHTML.slice(0, 80)),
    lost_links: [...document.querySelectorAll("a[href^='#']")].map(each => each.getAttribute("href"))
      .filter(each => !document.getElementById(each.slice(1))),
    twice: [...document.querySelectorAll("[id]")].map(each => each.id).filter((id, n, all) => all.indexOf(id) != n),
    width: document.documentElement.scrollWidth,
    background: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    strokes: [...document.querySelectorAll("svg path")].map(each => getComputedStyle(each).stroke).join(),
    focusable: document.querySelectorAll("a[href], summary, [tabindex='0']").length,
  };
}
"""
FAULTS = ("messages", "outside", "without_keyboard", "without_label", "lost_links", "twice", "lonely", "axe")
# The pictures that do not fill their row.
LONELY = """
() => [...document.querySelectorAll(".pictures")].flatMap(grid => {
  const right = grid.getBoundingClientRect().right;
  const rows = Map.groupBy(grid.children, each => Math.round(each.getBoundingClientRect().top));
  return [...rows.values()].map(row => row.at(-1))
    .filter(last => last.getBoundingClientRect().right < right - 2).map(last => last.textContent);
})
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_report_is_drawn_read_and_used(name: str, tmp_path: Path, browser: Any) -> None:
    folder = tmp_path / "made"
    kind = "run" if "score_test=always" in CALLS[name] or name.endswith("folds") else "sweep"
    assert main([*CALLS[name], *SMALL, f"hydra.{kind}.dir={folder}"]) == 0
    found = {}
    for scheme in ("light", "dark"):
        for width in (360, 1200):
            measured = measure(browser, folder / "report.html", scheme, width)
            assert measured["pictures"] == len(list((folder / "plots").glob("*.svg"))) > 2
            assert measured["empty"] == measured["unnamed"] == 0
            for fault in FAULTS:
                assert measured[fault] == [], (fault, width)
            assert measured["width"] <= width
            assert measured["focusable"] > 4
            found[scheme] = measured
    for part in ("background", "ink", "strokes"):
        assert found["light"][part] != found["dark"][part]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()


def measure(browser: Any, page: Path, scheme: str, width: int) -> Any:
    """What the page is in a browser whose window is so wide, in pixels of CSS, with what Axe finds on it."""
    from axe_playwright_python.sync_playwright import Axe

    opened = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    messages: list[str] = []
    opened.on("pageerror", lambda error: messages.append(str(error)))
    opened.on("console", lambda message: messages.append(message.text))
    opened.goto(page.as_uri())
    opened.wait_for_timeout(500)  # since the panel draws its curves one after the other
    measured = opened.evaluate(MEASURE) | {"messages": [*messages], "lonely": opened.evaluate(LONELY)}
    found = Axe().run(opened)
    assert len(found.response["passes"]) > 10
    measured["axe"] = [found.generate_report()] * bool(found.violations_count)
    opened.close()
    return measured
