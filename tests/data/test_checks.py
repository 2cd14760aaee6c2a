from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dltrain.base.errors import DataError
from dltrain.cli.main import main
from dltrain.data import checks
from dltrain.data.dataset import Dataset
from dltrain.data.split import Split
from dltrain.data.targets import encode

ROWS = 200
SPLIT = Split(np.arange(120), np.arange(120, 160), np.arange(160, 200))


@pytest.fixture
def find(make_dataset: Any) -> Any:
    """The findings of a dataset of clean columns beside the given ones."""

    def run(columns: dict[str, Any] | None = None, target: Any = None, task: str = "binary", **more: Any) -> Any:
        generator = np.random.default_rng(1)
        weighted = more.pop("weighted", False)
        clean = {"a": generator.standard_normal(ROWS), "b": generator.standard_normal(ROWS)}
        truth = (clean["a"] + generator.standard_normal(ROWS) > 0).astype(float) if target is None else target
        dataset = make_dataset({**clean, **(columns or {})}, target=truth, **more)
        return checks.check_data(dataset, encode(dataset, task), SPLIT, weighted=weighted, seed=0)

    return run


def names(found: Any) -> list[str]:
    return [finding.check for finding in found if finding.severity == "warning"]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_clean_data_raises_nothing(find: Any, task: str) -> None:
    target = None if task == "binary" else np.random.default_rng(2).standard_normal(ROWS)
    assert find(target=target, task=task) == []


class TestParts:
    @pytest.mark.parametrize(("part", "first"), [("validation", 120), ("test", 160)])
    def test_row_in_two_parts(self, find: Any, part: str, first: int) -> None:
        generator = np.random.default_rng(3)
        values = {name: generator.standard_normal(ROWS) for name in ("a", "b")}
        for column in values.values():
            column[first : first + 3] = column[:3]
        (finding,) = find(values)
        assert (finding.check, finding.severity) == ("rows in two parts", "warning")
        assert finding.rows == (first, first + 1, first + 2)
        assert f"3 of 40 {part} rows have the features of a train row" in finding.sentence

    def test_coarse_rows_are_alike_by_chance(self, find: Any) -> None:
        generator = np.random.default_rng(4)
        found = find({name: generator.integers(0, 4, ROWS).astype(float) for name in "ab"})
        assert found
        assert {finding.severity for finding in found} == {"note"}

    def test_copied_texts_and_images(self, find: Any) -> None:
        words = np.array([f"this is the long text number {row}" for row in range(ROWS)], dtype=object)
        words[165] = words[3]
        (finding,) = find({"a": words, "b": np.full(ROWS, "x", dtype=object)}, kinds={"a": "text"})[:1]
        assert finding.rows == (165,)
        pixels = np.random.default_rng(5).integers(0, 255, (ROWS, 3, 3, 1)).astype(np.uint8)
        pixels[130] = pixels[7]
        pixels[[131, 8]] = 0
        generator = np.random.default_rng(6)
        dataset = Dataset(
            name="images",
            columns={"image": pixels},
            kinds={"image": "image"},
            target={"y": (generator.random(ROWS) > 0.5).astype(float)},
            row_ids=np.arange(ROWS),
            source="",
        )
        found = checks.check_data(dataset, encode(dataset, "binary"), SPLIT, weighted=False, seed=0)
        # A blank image is like any other blank one.
        assert [finding.rows for finding in found] == [(130,)]
        # A cross-validated run has no validation part, and none is looked at.
        whole = Split(np.arange(160), np.arange(0), np.arange(160, 200))
        assert checks.check_data(dataset, encode(dataset, "binary"), whole, weighted=False, seed=0) == []

    def test_drift_names_the_column(self, find: Any) -> None:
        generator = np.random.default_rng(7)
        moved = generator.standard_normal(ROWS) + 3 * (np.arange(ROWS) >= 160)
        (finding,) = find({"b": moved})
        assert (finding.check, finding.columns) == ("drift between parts", ("b",))
        assert "test rows from train rows" in finding.sentence

    @pytest.mark.parametrize("seed", range(5))
    def test_small_parts_do_not_cry_wolf(self, find: Any, seed: int) -> None:
        generator = np.random.default_rng(seed)
        found = find({name: generator.standard_normal(ROWS) for name in "abcdefgh"})
        assert names(found) == []

    def test_drift_of_texts(self, find: Any) -> None:
        generator = np.random.default_rng(8)
        common = [" ".join(generator.choice(list("abcdefgh"), 4)) + " word" for _ in range(ROWS)]
        words = np.array([f"{text} {'new' if row >= 120 else 'old'}" for row, text in enumerate(common)], dtype=object)
        found = find({"words": words}, kinds={"words": "text"})
        assert [(each.check, each.columns) for each in found if each.check.startswith("drift")] == [
            ("drift between parts", ("words",))
        ] * 2

    def test_many_equal_rows_are_told_whatever_the_reason(self, find: Any) -> None:
        generator = np.random.default_rng(22)
        columns = {name: generator.integers(0, 18, ROWS).astype(float) for name in "ab"}
        shared = [each for each in find(columns) if each.check == "rows in two parts"]
        assert {each.severity for each in shared} == {"warning"}
        assert "learned by heart counts as skill on test" in shared[-1].sentence

    def test_unseen_category(self, find: Any) -> None:
        cells = np.array(["x", "y"] * (ROWS // 2), dtype=object)
        cells[[121, 161, 162, 163]] = "new"
        found = find({"c": cells})
        assert [(each.check, each.severity, each.rows) for each in found] == [
            ("unseen categories", "warning", (161, 162, 163)),
            ("unseen categories", "note", (121,)),
        ]
        assert "('new', 3 of 40 rows)" in found[0].sentence


class TestColumns:
    @pytest.mark.parametrize("form", ["number", "word", "gap", "two sides"])
    def test_leak(self, find: Any, form: str) -> None:
        truth = np.random.default_rng(9).integers(0, 2, ROWS).astype(float)
        noise = np.random.default_rng(10).random(ROWS)
        leak: Any = {
            "number": truth * 5 + noise,
            "word": np.where(truth > 0, "survived", "died").astype(object),
            "gap": np.where(truth > 0, noise, np.nan),
            "two sides": np.where(truth > 0, 1.5 + noise, noise) * np.where(noise > 0.5, 1, -1),
        }[form]
        found = find({"leak": leak}, target=truth)
        assert ("target leak", ("leak",)) in [(each.check, each.columns) for each in found]

    def test_column_that_is_filled_for_one_class_alone(self, find: Any) -> None:
        generator = np.random.default_rng(20)
        truth = generator.integers(0, 3, ROWS).astype(float)
        reasons = generator.choice(["late", "lost", "rude"], ROWS)
        for cells in (np.where(truth == 1, reasons, ""), np.where(truth == 1, "", reasons)):
            found = find({"reason": cells.astype(object)}, target=truth, task="multiclass")
            assert ("target leak", ("reason",)) in [(each.check, each.columns) for each in found]

    def test_word_that_tells_the_target(self, find: Any) -> None:
        generator = np.random.default_rng(21)
        truth = generator.integers(0, 2, ROWS).astype(float)
        common = [" ".join(generator.choice(["alpha", "beta", "gamma", "delta"], 6)) for _ in range(ROWS)]
        told = np.array([f"{words} {'good' if one else 'bad'}" for words, one in zip(common, truth, strict=True)])
        for cells, leaks in ((told, True), (np.array(common), False)):
            found = find({"words": cells.astype(object)}, target=truth, kinds={"words": "text"})
            assert (("target leak", ("words",)) in [(each.check, each.columns) for each in found]) is leaks

    def test_nearly_empty_is_not_told_as_empty(self, find: Any) -> None:
        cells = np.full(ROWS, np.nan)
        cells[3] = 1.0
        (finding,) = [each for each in find({"rare": cells}) if each.columns == ("rare",)]
        assert "missing in 99% of the train rows" in finding.sentence

    def test_leak_of_a_quantity(self, find: Any) -> None:
        target = np.random.default_rng(11).uniform(1, 9, ROWS)
        found = find({"leak": 3 * target + 1}, target=target, task="regression")
        assert [(each.check, each.columns) for each in found] == [("target leak", ("leak",))]

    def test_strong_column_is_no_leak(self, find: Any) -> None:
        generator = np.random.default_rng(12)
        truth = generator.integers(0, 2, ROWS).astype(float)
        assert find({"strong": truth * 3 + generator.standard_normal(ROWS)}, target=truth) == []

    def test_useless_columns(self, find: Any) -> None:
        generator = np.random.default_rng(13)
        found = find(
            {
                "constant": np.full(ROWS, 3.0),
                "empty": np.full(ROWS, np.nan),
                "sparse": np.where(generator.random(ROWS) < 0.8, np.nan, generator.standard_normal(ROWS)),
                "user_id": generator.permutation(ROWS).astype(float) + 1000,
                "time": np.cumsum(generator.integers(1, 9, ROWS)).astype(float),
                "count": generator.permutation(ROWS).astype(float),
            }
        )
        assert {(each.check, each.columns[0]) for each in found if "column" in each.check} == {
            ("constant column", "constant"),
            ("constant column", "empty"),
            ("mostly missing column", "sparse"),
            ("identifying column", "user_id"),
            ("identifying column", "time"),
        }


class TestLabels:
    @pytest.mark.parametrize("weighted", [True, False])
    def test_imbalance(self, find: Any, weighted: bool) -> None:
        target = (np.arange(ROWS) % 20 == 0).astype(float)
        assert ("class imbalance" in names(find(target=target, weighted=weighted))) is not weighted

    def test_a_class_of_one_row_is_not_to_be_weighted(self, find: Any) -> None:
        (finding,) = [each for each in find(target=(np.arange(ROWS) == 7).astype(float)) if "imbalance" in each.check]
        assert "class_weight" not in finding.sentence

    def test_few_rows_of_the_rarest_class_in_a_part_are_told_with_the_width_of_an_interval(self, find: Any) -> None:
        target = (np.arange(ROWS) % 10 == 0).astype(float)
        (finding,) = find(target=target, weighted=True)
        assert finding.check == "few rows of a class"
        assert "about 4 rows in validation and 4 rows in test" in finding.sentence
        assert "0.86 wide" in finding.sentence

    def test_rare_label(self, find: Any) -> None:
        target = {"rare": (np.arange(ROWS) == 0).astype(float), "common": np.arange(ROWS) % 2.0}
        (finding,) = find(target=target, task="multilabel")
        assert (finding.check, finding.columns) == ("class imbalance", ("rare",))

    def test_outliers(self, find: Any) -> None:
        target = np.random.default_rng(14).standard_normal(ROWS)
        target[[5, 50, 170]] = [1e4, -1e6, 1e9]
        (finding,) = find(target=target, task="regression")
        # That of a test row is not looked at.
        assert (finding.check, finding.rows) == ("target outliers", (50, 5))

    def test_noise(self, find: Any) -> None:
        generator = np.random.default_rng(15)
        values = 3 * generator.standard_normal(ROWS)
        target = (values + generator.standard_normal(ROWS) > 0).astype(float)
        wrong = np.argsort(-np.abs(values[:120]))[:4]
        target[wrong] = 1 - target[wrong]
        (finding,) = [each for each in find({"a": values}, target=target) if each.check == "label noise"]
        assert set(finding.rows) <= set(wrong)
        assert len(finding.rows) >= 3

    def test_hard_classes_are_no_noise(self, find: Any) -> None:
        generator = np.random.default_rng(16)
        values = generator.standard_normal(ROWS)
        target = (generator.random(ROWS) < 1 / (1 + np.exp(-3 * values))).astype(float)
        assert "label noise" not in names(find({"a": values}, target=target))


def test_target_of_the_test_part_is_not_looked_at(find: Any) -> None:
    target = np.random.default_rng(17).standard_normal(ROWS)
    other = np.where(np.arange(ROWS) >= 160, 1e9, target)
    assert find(target=target, task="regression") == find(target=other, task="regression") == []


@pytest.mark.parametrize("mode", ["warn", "strict", "none"])
def test_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(18)
    truth = generator.integers(0, 2, 120)
    lines = [f"{truth[row] * 2 + generator.random():.4f},{generator.random():.4f},7,{truth[row]}" for row in range(120)]
    Path("table.csv").write_text("\n".join(["leak,other,same,target", *lines]))
    words = ["dataset=csv", "dataset.path=table.csv", "dataset.target=target", "+dataset.kinds.same=numeric"]
    quick = ["model=linear", "trainer.epochs=1", "~callbacks.tensorboard", "quiet=true", "hydra.run.dir=run"]
    code = main([*words, *quick, f"checks={mode}"])
    out, error = capsys.readouterr()
    if mode == "strict":
        assert code == 2
        assert [line.split(":")[1].strip() for line in error.splitlines()] == ["target leak", "constant column"]
        assert not Path("run").exists()
        return
    assert code == 0
    run = json.loads(Path("run/run.json").read_text())
    if mode == "none":
        assert "checks" not in run
        return
    assert [(each["check"], each["columns"]) for each in run["checks"]] == [
        ("target leak", ["leak"]),
        ("constant column", ["same"]),
    ]
    assert "Column 'leak' alone tells the target" in out
    assert "Column 'leak' alone tells the target" in Path("run/dltrain.log").read_text()


def test_strict_names_all_at_once() -> None:
    found = [
        checks.Finding("a", "warning", "one."),
        checks.Finding("b", "note", "two."),
        checks.Finding("c", "warning", "3."),
    ]
    with pytest.raises(DataError) as caught:
        checks.refuse(found)
    assert caught.value.faults == ["a: one.", "c: 3."]
    checks.refuse(found[1:2])


def test_same_content_is_looked_at_once(make_dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.linspace(0, 1, 60)
    dataset = make_dataset({"same": np.ones(60), "value": values})
    target = encode(dataset, "binary")
    split = Split(np.arange(40), np.arange(40, 50), np.arange(50, 60))
    first = checks.check_data(dataset, target, split, weighted=False, seed=0)
    assert "constant column" in [finding.check for finding in first]
    with monkeypatch.context() as patch:
        patch.setattr(checks, "CHECKS", ())
        assert checks.check_data(dataset, target, split, weighted=False, seed=0) == first
        changed = make_dataset({"same": np.ones(60), "value": values + 1})
        for other, parts, seed in (
            (changed, split, 0),
            (dataset, Split(np.arange(30), np.arange(30, 50), split.test), 0),
            (dataset, split, 1),
        ):
            assert checks.check_data(other, target, parts, weighted=False, seed=seed) == []
        checks.check_data(dataset, target, split, weighted=True, seed=2)
        assert checks.MOST_KEPT == 4
        assert checks.check_data(dataset, target, split, weighted=False, seed=0) == []
