from __future__ import annotations

import io

from rich.progress import Progress

from dltrain.base.console import PrintableConsole


def test_control_characters_of_the_data_become_escapes() -> None:
    file = io.StringIO()
    PrintableConsole(file=file, width=60).print("a\x1b[2Jb\u202ec", "[bold]word[/bold]", sep="\n")
    assert file.getvalue().splitlines() == ["a\\x1b[2Jb\\u202ec", "word"]


def test_colours_and_progress_bars_stay() -> None:
    file = io.StringIO()
    console = PrintableConsole(file=file, width=60, force_terminal=True, color_system="standard", legacy_windows=False)
    console.print("word", style="red")
    with Progress(console=console) as progress:
        progress.advance(progress.add_task("epoch", total=1))
    assert "\x1b[31mword\x1b[0m" in file.getvalue()
    assert "epoch" in file.getvalue()
    assert "\\x1b" not in file.getvalue()
