"""docs/course: each idea has its experiment, picture, text and exercise, and each of its commands works."""

from __future__ import annotations

import importlib.util
import math
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from dltrain import verbs
from dltrain.cli.main import main
from dltrain.config.compose import Composer, conf_directory
from dltrain.verbs.course import CODE, PICTURE, Chapter, Section, chapters, course_directory

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = DOCS / "course_pictures"
CHAPTERS = [chapter for chapter in chapters() if chapter.name.isdecimal()]
LABORATORIES = [chapter for chapter in chapters() if not chapter.name.isdecimal()]
SECTIONS = [section for chapter in CHAPTERS for section in chapter.sections]
TITLES = [section.title for section in SECTIONS]
# Not of the course.
OTHERS = {"smoke", "wine_quality", "tabular", "imdb_naive_bayes"}
SMALL = ("rows=60", "trainer.epochs=1", "quiet=true", "~callbacks.tensorboard")
EXPERIMENTS = {name: words for section in SECTIONS for name, words in section.experiments.items()}


def kinds_of_experiments() -> list[str]:
    """One experiment of each chapter, and one of each combination of model, callbacks, folds and search.

    The others compose, and differ in values alone.
    """
    chosen: list[str] = []
    kinds: set[str] = set()
    for chapter in CHAPTERS:
        names = [name for section in chapter.sections for name in section.experiments]
        for name in names:
            shipped = yaml.safe_load((conf_directory() / "experiment" / f"{name}.yaml").read_text("utf-8"))
            options = {group: option for each in shipped["defaults"] for group, option in each.items()}
            groups = ("model", "callbacks", "cv", "search", "augmentation")
            kind = str([options.get(f"override /{group}") for group in groups])
            if kind not in kinds or (name == names[-1] and not set(names) & set(chosen)):
                chosen.append(name)
            kinds.add(kind)
    return chosen


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def typed(chapter: Chapter) -> list[str]:
    """Every command of a page, in its blocks and in its text, each in one line."""
    inside = re.findall(r"`(dltrain [^`]+)`", CODE.sub("", chapter.text))
    blocks = [line for section in chapter.sections for line in section.commands if line.startswith("dltrain ")]
    return blocks + [" ".join(command.split()) for command in inside]


def prose(section: Section) -> list[str]:
    lines = PICTURE.sub("", CODE.sub("", section.text)).splitlines()
    return [line for line in lines if line and not line.startswith("|")]


def test_each_experiment_of_the_course_is_told_with_the_command_of_its_file() -> None:
    shipped = {file.stem: file for file in (conf_directory() / "experiment").glob("*.yaml") if file.stem not in OTHERS}
    assert set(EXPERIMENTS) == set(shipped)
    for name, file in shipped.items():
        assert file.read_text("utf-8").splitlines()[2] == f"# {shlex.join(['dltrain', *EXPERIMENTS[name]])}"


@pytest.mark.parametrize("section", SECTIONS, ids=TITLES)
def test_section_has_a_command_a_picture_a_short_text_and_an_exercise(section: Section) -> None:
    assert section.experiments
    assert section.pictures
    for alternative, link in section.pictures:
        assert re.fullmatch(r"[A-Z].{20,}\.", alternative), "the alternative text is a sentence"
        assert (course_directory() / link).is_file()
    start, exercise, end = "\n".join(prose(section)).partition("\n**Exercise.** ")
    assert exercise
    assert "**Exercise.**" not in end
    assert 2 <= len(start.splitlines()) <= 10


def test_list_of_ideas_leads_to_every_section() -> None:
    text = (course_directory() / "index.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| \[([^\]]+)\]\(([^)#]+)#([^)]+)\) \|$", text, re.MULTILINE)
    sections = {
        (chapter.path.name, re.sub(r"[^\w\- ]", "", section.title.lower()).replace(" ", "-")): chapter.title
        for chapter in CHAPTERS
        for section in chapter.sections
    }
    assert {(page, anchor): title for _, title, page, anchor in rows} == sections
    assert len({idea for idea, *_ in rows}) == len(rows)
    for chapter in chapters():
        assert f"]({chapter.path.name})" in text
        assert f"\n{chapter.path.stem}\n" in text


def test_pictures_are_those_of_the_pages_and_small() -> None:
    shown = {link for chapter in chapters() for _, link in PICTURE.findall(chapter.text)}
    assert {Path(link).name for link in shown} == {file.name for file in PICTURES.iterdir()}
    assert max(file.stat().st_size for file in PICTURES.iterdir()) < 250_000


def test_an_option_has_one_colour_in_all_pictures() -> None:
    # Colours go by the order of the jobs, or of the values of the key by which lines are drawn.
    point = loaded(DOCS.parent / "benchmarks" / "course.py").POINT
    places: dict[str, dict[int, list[str]]] = {}
    for name, words in EXPERIMENTS.items():
        by_jobs = point.get(name, "side_by_side") in ("side_by_side", "paces")
        if "-m" not in words or not (by_jobs or point[name] in ("over_setting", "crossed")):
            continue
        typed = [(key, values.split(",")) for key, _, values in (word.partition("=") for word in words[2:])]
        for later, (key, values) in enumerate(typed, 1):
            apart = math.prod(len(each) for _, each in typed[later:]) if by_jobs else 1
            for place, value in enumerate(values):
                if "." not in key:  # an option of a group; numbers have the colours of their order
                    places.setdefault(f"{key}={value}", {}).setdefault(apart * place, []).append(name)
    assert {"normalization=batch", "optimizer=adam"} <= set(places)
    assert not {option: found for option, found in places.items() if len(found) > 1 and option.split("=")[1].isalpha()}


def commands() -> dict[str, str]:
    """Every other command than those of the experiments' files, which tests/test_conf.py composes, with its page."""
    composed = {shlex.join(["dltrain", *words]) for words in EXPERIMENTS.values()}
    found = [(command, chapter.path.stem) for chapter in chapters() for command in typed(chapter)]
    return {command: page for command, page in found if shlex.join(shlex.split(command)) not in composed}


@pytest.mark.parametrize(("command", "page"), commands().items())
def test_command_composes(command: str, page: str) -> None:
    words = shlex.split(command)[1:]
    if words[0] in verbs.names():
        assert verbs.verb(words[0]).parse(words[1:])
        return
    composer = Composer()
    if "-m" in words:
        composer.compose_sweep([word for word in words if word != "-m"])
    else:
        composer.compose(words)


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.path.stem)
def test_notebook_has_the_commands_as_cells_and_the_pictures_in_it(chapter: Chapter) -> None:
    pytest.importorskip("jupytext")
    notebook = loaded(DOCS / "notebooks.py").of_page(chapter.path)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell for cell in cells if cell.startswith("%%bash")] == [
        f"%%bash\n{block.rstrip()}" for block in CODE.findall(chapter.text)
    ]
    assert sum(len(cell.get("attachments", {})) for cell in notebook.cells) == len(PICTURE.findall(chapter.text))


@pytest.mark.parametrize("lab", LABORATORIES, ids=lambda lab: lab.name)
def test_laboratory_chooses_by_folds_and_comparison_and_scores_the_test_part_last(lab: Chapter) -> None:
    *steps, last = [command for section in lab.sections for command in section.commands]
    assert sum(" cv=kfold" in command for command in steps) >= 2
    assert sum(command.startswith("dltrain compare ") for command in steps) >= 1
    made = {
        word.partition("=")[2] for command in steps for word in command.split() if word.startswith("hydra.run.dir=")
    }
    for command in steps:
        assert command.startswith("dltrain compare ") or " score_test=never" in command
        assert not command.startswith("dltrain compare ") or set(command.split()[2:]) <= made
    assert "score_test" not in last
    assert "**Exercise.** " in lab.text
    assert all(section.text.count("```text") >= 1 for section in lab.sections)


@pytest.mark.slow
@pytest.mark.parametrize("name", kinds_of_experiments())
def test_first_job_runs_at_smoke_size(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word for word in EXPERIMENTS[name] if word != "-m"]
    if name.endswith("_search"):
        words += ["search.points=2"] if name.startswith("grid") else ["search.jobs=2"]
    # The first value of each sweep stands for all: the others compose.
    words = [re.sub(r"=(\[[^\]]*\]|[^,\[]*),.*", r"=\1", word) for word in words]
    assert main([*[word for word in words if not word.startswith(("rows=", "callbacks.", "hydra"))], *SMALL]) == 0
