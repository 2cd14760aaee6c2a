"""`dltrain course` lists the chapters with their commands, and prints one of them."""

from __future__ import annotations

import pytest

from dltrain.cli.main import main
from dltrain.verbs.course import Chapter, chapters


def test_lists_every_chapter_with_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for chapter in chapters():
        assert chapter.title in lines
        for section in chapter.sections:
            for command in section.commands:
                assert f"    {command}" in lines


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.name)
def test_prints_a_chapter(chapter: Chapter, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", chapter.name]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# ")
    assert "```bash\ndltrain " in text
    assert ".svg" not in text


def test_unknown_chapter_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "99"]) == 2
    assert "There is no chapter '99': expected one of 1, 2, 3" in capsys.readouterr().err
