from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from dltrain.experiment.log import LONGEST_LINE, LogFile, start_logging, stop_logging

logger = logging.getLogger("dltrain")


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    stop_logging()


def test_file_has_all_and_the_terminal_what_is_wanted(tmp_path: Path, console: Console) -> None:
    shown = {}
    for name, quiet, verbose in (("quiet", True, False), ("usual", False, False), ("verbose", False, True)):
        start_logging(tmp_path / name, console, quiet=quiet, verbose=verbose)
        logger.debug("decided")
        logger.info("done")
        logger.warning("look")
        shown[name] = console.export_text().split()
        levels = [line.split()[2] for line in (tmp_path / name).read_text().splitlines()]
        assert levels == ["DEBUG", "INFO", "WARNING"]
    assert shown == {"quiet": ["look"], "usual": ["done", "look"], "verbose": ["decided", "done", "look"]}


def test_no_text_passes_itself_off_as_a_record(tmp_path: Path, console: Console) -> None:
    start_logging(tmp_path / "log", console, quiet=True, verbose=False)
    logger.info("one\n2026-01-01 00:00:00 ERROR two\x1b[31m")
    first, second = (tmp_path / "log").read_text().splitlines()
    assert first.endswith("INFO one")
    assert second.startswith("    2026-01-01")
    assert "\x1b" not in second


def test_long_lines_are_cut_on_the_terminal_but_warnings_are_not(tmp_path: Path, console: Console) -> None:
    start_logging(tmp_path / "log", console, quiet=False, verbose=False)
    text = "x" * (LONGEST_LINE + 1)
    logger.info(text)
    assert console.export_text() == f"{text[:-1]} … (all of it in dltrain.log)\n"
    logger.warning(text)
    assert console.export_text() == f"{text}\n"
    assert (tmp_path / "log").read_text().count(text) == 2


def test_warnings_of_libraries_are_kept_in_the_file_alone(tmp_path: Path, console: Console) -> None:
    start_logging(tmp_path / "log", console, quiet=False, verbose=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", stacklevel=1)
    assert "old" in (tmp_path / "log").read_text()
    assert console.export_text() == ""


def test_full_disk_costs_lines_and_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = LogFile(tmp_path / "log")
    record = logging.LogRecord("dltrain", logging.INFO, __file__, 1, "text", None, None)
    try:
        raise OSError("No space left on device")
    except OSError:
        file.handleError(record)
    assert capsys.readouterr().err == ""
    file.close()
