"""The panel "What if" of a report: its content, and its answers in headless Chromium beside those of `predict`."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dltrain.cli.main import main
from dltrain.inference.model import Model
from dltrain.inference.overlap import run_dataset

pytestmark = pytest.mark.slow
EVIL = "</script><b>A & Co"


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory, run_in: Any) -> Any:
    """A run on dates, numbers with missing cells and hostile words."""
    folder = tmp_path_factory.mktemp("sales")
    random = np.random.default_rng(0)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, 120), unit="D")
    table = pd.DataFrame({"when": days.strftime("%d/%m/%Y"), "size <b>": random.gamma(2, 30, 120).round(1)})
    table["shop"] = random.choice([EVIL, "B", "C", ""], 120)
    table.loc[::9, "size <b>"] = np.nan
    table["sold"] = table["size <b>"].fillna(50) + 5 * days.month + random.normal(size=120)
    table.to_csv(folder / "sales.csv", index=False)
    data = ("dataset=csv", f"dataset.path={folder / 'sales.csv'}", "dataset.target=sold", "dataset.day_first=true")
    small = ("model=tabular", "model.units=[4]", "model.ensemble=2", "task=gaussian_regression", "report=true")
    return run_in(folder / "run", *data, *small)


def test_mean_curve_is_the_mean_of_the_predictions(sales: Any) -> None:
    model = Model(sales.path)
    dataset, parts = run_dataset(model.record)
    rows = dataset.take(parts["validation"])
    content = sales.json("what_if.json")
    assert (content["part"], content["rows"], content["answer"]["form"]) == ("validation", len(rows), "quantity")
    assert [each["title"] for each in content["columns"]] == ["when", "size <b>", "shop"]
    for column in content["columns"]:
        assert column["start"] in (column.get("words") or [column["start"]])
        for place in (0, -1):
            cells = {each["title"]: rows.columns[each["name"]].tolist() for each in content["columns"]}
            cells[column["title"]] = [column["curve"][place]] * len(rows)
            answers = model.predict(pd.DataFrame(cells))
            expected = answers[["prediction", "standard_deviation"]].mean().to_numpy()
            np.testing.assert_allclose(column["average"][place], expected, rtol=1e-5)
    when = content["columns"][0]
    assert when["times"] == sorted(when["times"])
    assert 10 < len(when["curve"]) <= 21


class Panel:
    """The panel of a report that is open in Chromium."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto((path / "report.html").as_uri())

    def field(self, name: str) -> Any:
        return self.page.get_by_role("group", name=name, exact=True)

    def outputs(self) -> list[float]:
        found: list[float] = json.loads(self.page.locator("#what-if-answer").get_attribute("data-outputs"))
        return found

    def typed(self, name: str, text: str) -> None:
        self.field(name).locator("input").first.focus()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not shutil.which("chromium"):
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()


def predicted(path: Path, row: dict[str, Any]) -> dict[str, str]:
    """What `dltrain predict` writes for one row."""
    given, written = path / "one_row.csv", path / "one_row_predicted.csv"
    pd.DataFrame([row]).to_csv(given, index=False)
    assert main(["predict", str(path), "--input", str(given), "--output", str(written)]) == 0
    with written.open(newline="") as file:
        return next(csv.DictReader(file))


def test_panel_answers_as_predict_when_it_is_used_with_the_keyboard(browser: Any, sales: Any) -> None:
    panel = Panel(browser, sales.path)
    page, keys = panel.page, panel.page.keyboard

    def same(row: dict[str, Any]) -> None:
        answer = predicted(sales.path, row)
        expected = [float(answer["prediction"]), float(answer["standard_deviation"])]
        np.testing.assert_allclose(panel.outputs(), expected, rtol=1e-5)

    row = {each["title"]: each["start"] for each in sales.json("what_if.json")["columns"]}
    same(row)
    panel.typed("size <b>", "12.5")
    panel.typed("when", "29/02/2020 18:30")
    same(row := row | {"size <b>": 12.5, "when": "29/02/2020 18:30"})
    panel.typed("when", "2020-13-01")
    assert "Expected a date such as 31/12/2020" in panel.field("when").inner_text()
    same(row)
    panel.typed("when", "1/3/2021")
    panel.typed("size <b>", "99999")
    assert "Beyond the train rows" in panel.field("size <b>").inner_text()
    panel.field("size <b>").get_by_role("slider").focus()
    keys.press("ArrowLeft")
    moved = float(panel.field("size <b>").locator("input").first.input_value())
    assert moved < 99999
    same(row := row | {"when": "1/3/2021", "size <b>": moved})
    for name in ("size <b>", "when"):
        panel.field(name).get_by_role("checkbox").focus()
        keys.press("Space")
        same(row := row | {name: ""})
    words = panel.field("shop").locator("select")
    for label, cell in ((EVIL, EVIL), ("(missing)", ""), ("(a value that the model does not know)", "never seen")):
        words.select_option(label=label)
        same(row | {"shop": cell})
    page.wait_for_timeout(1000)
    assert page.get_by_role("status").inner_text().startswith("sold: ")
    assert "At the start" in page.locator("#what-if-start").inner_text()
    before = panel.field("shop").locator("svg").get_attribute("aria-label")
    page.locator(".controls select").select_option(label="standard deviation")
    page.wait_for_timeout(300)
    assert panel.field("shop").locator("svg").get_attribute("aria-label") != before
    page.get_by_role("button", name="Back to the start").press("Enter")
    same({each["title"]: each["start"] for each in sales.json("what_if.json")["columns"]})
    assert panel.faults == []
    assert panel.asked == [page.url]


def test_panel_adds_up_columns_and_gives_sets_of_classes(browser: Any, run_in: Any, tmp_path: Path) -> None:
    words = ("dataset=titanic", "dataset.engineered=true", "model=mlp", "model.units=[3]", "report=true")
    run = run_in(tmp_path / "run", *words, "calibration=temperature", "conformal=0.9")
    panel = Panel(browser, run.path)
    panel.typed("sibsp", "3")
    panel.typed("parch", "2")
    assert "6 = sibsp + parch + 1" in panel.field("family_size").inner_text()
    row = {each["title"]: each["start"] for each in run.json("what_if.json")["columns"]}
    answer = predicted(run.path, row | {"sibsp": 3, "parch": 2, "family_size": 6})
    assert panel.outputs() == pytest.approx([float(answer["probability_1"])], abs=1e-5)
    said = panel.page.locator("#what-if-answer").inner_text()
    assert f"{answer['prediction']} (probability" in said
    assert f"Holds the truth of 90 % of rows: {answer['prediction_set']}" in said
    assert panel.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
def test_report_with_a_panel_is_open_to_everybody(browser: Any, sales: Any, scheme: Any, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    panel = Panel(browser, sales.path, color_scheme=scheme, viewport={"width": width, "height": 800})
    page = panel.page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for curve in page.locator(".curve").all():
        assert len(curve.locator("path, circle, line").all()) >= 5
        assert "this row from" in (curve.get_attribute("aria-label") or "")
    found = axe.Axe().run(page)
    assert not found.response["violations"], found.generate_report()
