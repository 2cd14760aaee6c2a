"""Finds the command that was meant by words that are neither a verb, nor a flag, nor key=value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dltrain import verbs
from dltrain.base.errors import closest
from dltrain.base.shell_words import command

# Hydra's flags: those that a value follows, and the others.
VALUED = (
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd", "--experimental-rerun", "--info", "-i"),
)
BARE = (
    *("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r", "--multirun", "-m"),
    *("--shell-completion", "-sc"),
)
TRAINING = ("train", "run", "fit", "start")  # which dltrain does without a verb
FLAGS = {"help": "--help", "version": "--version", "sweep": "-m", "multirun": "-m"}
OTHER_NAMES = {
    "list": "runs",
    "ls": "runs",
    "test": "evaluate",
    "eval": "evaluate",
    "score": "evaluate",
    "diff": "compare",
    "continue": "resume",
    "show": "report",
}
BRACKETS = ("[]", "{}", "()")


def mistaken(words: Sequence[str]) -> str | None:
    """Returns a sentence with the command that was meant, or None if all words are flags, overrides or their values."""
    wrong = next((word for _, word in _wrong(words)), None)
    if wrong is None:
        return None
    expected = "a flag of dltrain" if wrong.startswith("-") else "a verb or key=value"
    found = _Meant(words)
    if found.unknown:
        return f"expected {expected}, got '{found.unknown[0]}'. `dltrain --help` lists the verbs, groups and flags."
    return f"expected {expected}, got '{wrong}'. Did you mean {command(['dltrain', *found.words])}?"


def _wrong(words: Sequence[str]) -> list[tuple[int, str]]:
    """Returns the words that cannot be taken as they are, with their places."""
    return [
        (place, word)
        for place, word in enumerate(words)
        if not (place and "=" not in words[place - 1] and _is_flag(words[place - 1], VALUED))
        and not (_is_flag(word) if word.startswith("-") else "=" in word[1:] or word[:1] in ("~", "+"))
    ]


def _is_flag(word: str, known: Sequence[str] = (*VALUED, *BARE)) -> bool:
    """Returns whether a word is one of the flags, one that is cut short, or one with its value."""
    name = word.partition("=")[0]
    return name in known or (len(name) > 2 and name.startswith("--") and any(flag.startswith(name) for flag in known))


def _is_file(word: str) -> bool:
    try:
        return Path(word).is_file()
    except OSError:  # no name of a file is that long
        return False


class _Meant:
    """Reads the words from left to right; `words` are those that were meant, `unknown` those that mean nothing."""

    def __init__(self, typed: Sequence[str]) -> None:
        from dltrain.config.compose import Composer
        from dltrain.config.written import of_file

        composer = Composer()
        self.groups, self.near = composer.groups(), composer.near_keys()
        self.of_file = of_file
        self.words: list[str] = []
        self.unknown: list[str] = []
        self.verb: list[str] = []
        self.rest = list(typed)
        wrong = {place for place, _ in _wrong(typed)}
        while self.rest:
            place = len(typed) - len(self.rest)
            word = self.rest.pop(0)
            if place in wrong or word.endswith("="):
                self._take(word, first=place == 0)
            else:
                self.words.append(word)
        self.words = [*self.verb, *(each for word in self.words for each in self._corrected(word))]
        if not self.words and not self.unknown:
            self.words = ["dataset=titanic", "optimizer=adam"]

    def _take(self, word: str, *, first: bool) -> None:
        """Adds what was meant by a word, with those after it that belong to it."""
        name = word.lstrip("-").rstrip("=")
        before = self.words[-1] if self.words else ""
        following = self.rest[0] if self.rest else ""
        if any(before.count(pair[0]) > before.count(pair[1]) for pair in BRACKETS):  # [128, 64] without quotes
            self.words[-1] = before + word
        elif word.startswith("=") and before:
            self.words[-1] = before + word + (self.rest.pop(0) if word == "=" and self.rest else "")
        elif first and closest(name, TRAINING):
            pass
        elif name in (*FLAGS, *verbs.names()) or (word == name and name in OTHER_NAMES):
            self.verb.append(FLAGS.get(name) or OTHER_NAMES.get(name, name))
            self.verb.sort(key=lambda each: each.startswith("-"))
        elif "=" in name and word[0] == "-":
            key, _, value = name.partition("=")
            self.words.append(f"{key.replace('-', '_')}={value}")
        elif self._is_key(name) and following and "=" not in following[1:] and not following.startswith("-"):
            value = self.rest.pop(0)
            self.words.append(f"{name.replace('-', '_')}{'' if value[0] == '=' else '='}{value}")
            if value == "=" and self.rest:
                self.words[-1] += self.rest.pop(0)
        elif word.startswith("-") and isinstance(self.near.nodes.get(name), bool):
            self.words.append(f"{name}=true")
        elif groups := self._groups_with(word):
            self.words.append(f"{groups[0]}={word}")
        elif before.partition("=")[0].endswith("path"):  # a path with a space, without quotes
            self.words[-1] = f"{before} {word}"
        elif Path(word).suffix or _is_file(word):
            self.words += self.of_file(word)
        elif first and word == name and (verb := closest(word, verbs.names())):
            self.verb.append(verb)
            self.words, self.rest = self.rest, []
        elif word[:2] == "--" and (flag := closest(name, [each[2:] for each in (*VALUED, *BARE) if each[:2] == "--"])):
            self.words.append(f"--{flag}")
        else:
            self.unknown.append(word)

    def _is_key(self, name: str) -> bool:
        name = name.replace("-", "_")
        return name in self.near.nodes or name in self.groups or self.near.is_end(name)

    def _groups_with(self, option: str) -> list[str]:
        found = [group for group, options in self.groups.items() if option in options]
        return sorted(found, key=lambda group: group not in ("dataset", "model", "optimizer"))

    def _corrected(self, word: str) -> list[str]:
        """Returns an override with its key in full and its option as it is written."""
        key, equals, value = word.partition("=")
        if not equals or word[0] in "-~+":
            return [word]
        if key in self.groups:
            option = None if "," in value else closest(value, self.groups[key])
            return self.of_file(value) if key == "dataset" and Path(value).suffix else [f"{key}={option or value}"]
        if key in self.near.nodes:
            return [word]
        found: Any = self.near.meant(key, value)
        return found[0] if found else [word]
