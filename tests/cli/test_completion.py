from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dltrain.cli.completion import complete

# bash's own part of completion: what Tab does before and after it calls the function.
TAB = """
eval "$(dltrain -sc install=bash)"
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}; typed=($COMP_LINE); COMP_CWORD=$((${#typed[@]} - 1))
    [[ "$COMP_LINE" == *" " ]] && COMP_CWORD=$((COMP_CWORD + 1))
    COMPREPLY=(); hydra_bash_completion; echo "${COMPREPLY[*]}"
done
"""

# zsh completes for a terminal alone: one is made, Tab is typed, and what the line became is read.
ZSH = """
zmodload zsh/zpty
zpty line "zsh -f -i"
zpty -w line 'autoload -Uz compinit bashcompinit; compinit -u -d ./dump; bashcompinit
    eval "$(dltrain -sc install=zsh)"; echo rea""dy'
shown=""
until_it_ends_with() {
    for ((i = 0; i < 600; i++)); do
        while zpty -rt line chunk; do shown+=$chunk; done
        [[ $shown == *$1* ]] && { print -r -- $1; return }
        sleep 0.1
    done
}
until_it_ends_with ready > /dev/null
for pair in "run runs" "optimizer=adag optimizer=adagrad" "runs --js|--json" "resume else|elsewhere/c"; do
    [[ $pair == *"|"* ]] || pair=${pair/ /|}
    shown=""
    zpty -w -n line "dltrain ${pair%|*}"$'\\t'
    until_it_ends_with ${pair#*|}
    zpty -w -n line $'\\x15'
done
"""


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("outputs/day/a", "outputs/day/b", "outputs/sweeps/day/s/0", "elsewhere/c", "outputs/day/a b"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").touch()


@pytest.mark.parametrize(
    ("line", "words", "rest"),
    [
        ("dltrain comp", ["compare"], "dltrain comp"),
        ("dltrain --", [], None),
        ("dltrain optimizer=a", [], "dltrain optimizer=a"),
        ("dltrain compare ", ["outputs/sweeps/day/s/0", "outputs/day/b", "outputs/day/a"], None),
        ("dltrain compare outputs/day/a outputs/day/b", ["outputs/day/b"], None),
        ("dltrain compare elsewhere/", ["elsewhere/c"], None),
        ("dltrain compare else", ["elsewhere/c"], None),
        ("dltrain compare ./else", ["./elsewhere/c"], None),
        ("dltrain runs --js", ["--json"], None),
        ("dltrain compare --plot ", [], None),
        ("dltrain why optimizer.le", [], "dltrain optimizer.le"),
        ("dltrain why seed optimizer=sgd mod", [], "dltrain optimizer=sgd mod"),
        ("dltrain init ", [], None),
        ("dltrain resume outputs/day/a", ["outputs/day/a"], None),
        ("dltrain resume outputs/day/a trainer.ep", [], "dltrain trainer.ep"),
        ("dltrain why --config-dir conf see", [], "dltrain see"),
    ],
)
def test_words_that_fit(line: str, words: list[str], rest: str | None) -> None:
    assert complete(line) == (words, rest)


@pytest.fixture
def in_shell(tmp_path: Path) -> Callable[..., str]:
    """Runs a script in a shell that finds `dltrain`, and gives what it prints; skips where there is no such shell."""
    program = tmp_path / "bin" / "dltrain"
    program.parent.mkdir()
    code = "import sys; sys.argv[0] = 'dltrain'; from dltrain.cli.main import main; sys.exit(main())"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={":".join(sys.path)} exec {sys.executable} -c "{code}" "$@"\n')
    program.chmod(0o755)

    def run(shell: str, *words: str, script: str, given: str = "") -> str:
        if shutil.which(shell) is None:
            pytest.skip(f"there is no {shell}")
        done = subprocess.run(
            [shell, *words, script],
            input=given,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
            env={"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb"},
        )
        return done.stdout

    return run


def test_completion_in_bash(in_shell: Callable[..., str]) -> None:
    lines = ["dltrain run", "dltrain optimizer=ada", "dltrain runs outputs/day/", "dltrain why optimizer.beta_1"]
    assert in_shell("bash", "-c", script=TAB, given="\n".join(lines) + "\n").splitlines() == [
        "runs",
        "optimizer=adagrad optimizer=adam optimizer=adamw",
        "outputs/day/b outputs/day/a",
        "optimizer.beta_1=",
    ]


@pytest.mark.slow
def test_completion_in_fish(in_shell: Callable[..., str]) -> None:
    lines = ["dltrain run", "dltrain optimizer=ada", "dltrain runs outputs/day/"]
    asked = "; ".join(f"complete -C '{line}'" for line in lines)
    shown = in_shell("fish", "-c", script=f"dltrain -sc install=fish | source; {asked}")
    ends = ["optimizer=adagrad", "optimizer=adam", "optimizer=adamw", "outputs/day/a", "outputs/day/b"]
    assert shown.splitlines() == ["runs", *ends]


@pytest.mark.slow
def test_completion_in_zsh(in_shell: Callable[..., str]) -> None:
    assert in_shell("zsh", "-fc", script=ZSH).split() == ["runs", "optimizer=adagrad", "--json", "elsewhere/c"]
