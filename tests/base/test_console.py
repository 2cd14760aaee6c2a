from __future__ import annotations

import io

from rich.progress import Progress

from dltrain.base.console import PrintableConsole, show_sentence, show_table


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


def shown(width: int, *, terminal: bool) -> tuple[PrintableConsole, io.StringIO]:
    file = io.StringIO()
    return PrintableConsole(file=file, width=width, force_terminal=terminal, color_system=None), file


def test_sentence_breaks_at_words_on_a_terminal_alone_and_a_path_never() -> None:
    path = "/home/ada/" + "folder/" * 6
    screen, file = shown(40, terminal=True)
    show_sentence(screen, f"  one two three four five six seven eight nine {path}")
    assert file.getvalue().splitlines() == [
        "  one two three four five six seven",
        "    eight nine",
        f"    {path}",
    ]
    pipe, file = shown(40, terminal=False)
    show_sentence(pipe, "one two three four five six seven eight nine ten")
    assert len(file.getvalue().splitlines()) == 1


def test_table_fits_and_shows_what_is_in_brackets() -> None:
    screen, file = shown(30, terminal=False)
    show_table(
        screen, ["metric", "logistic regression"], [["[red]a\x1b", "0.5000"]], ["logistic regression"], {0: "bold"}
    )
    assert file.getvalue().splitlines() == [
        "              logistic",
        "metric      regression",
        "[red]a\\x1b      0.5000",
    ]
