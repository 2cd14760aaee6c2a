"""Reads what an option file says of itself and of its keys: targets and comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

# Comments that speak to a program: Hydra's package of a file, and an editor's schema.
INSTRUCTIONS = ("# @package", "# yaml-language-server:")


@dataclass(frozen=True)
class OptionFile:
    """One YAML file below a folder of options."""

    path: Path
    folder: Path

    @property
    def group(self) -> str:
        """The group of the option, such as `optimizer` or `search/space`; empty for a file of no group."""
        return self.path.parent.relative_to(self.folder).as_posix().strip(".")

    @property
    def summary(self) -> str:
        """The sentence that opens the file."""
        said = (line for line in self.lines if line.startswith("#") and not line.startswith(INSTRUCTIONS))
        return next((line.lstrip("# ") for line in said), "")

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file."""
        return self.path.read_text(encoding="utf-8").splitlines()

    def targets(self) -> Iterator[tuple[str, str]]:
        """Yields each `_target_` with the key of its node."""
        for key, node in self._nodes():
            if key.endswith("._target_") and isinstance(node, yaml.ScalarNode):
                yield key.removesuffix("._target_"), node.value

    def comments(self) -> dict[str, str]:
        """Returns the comment beside each key, else the lines of comment right above it."""
        found = {}
        for key, node in self._nodes():
            line = node.start_mark.line
            beside = (
                self.lines[line].partition(" # ")[2] if isinstance(node, yaml.ScalarNode | yaml.SequenceNode) else ""
            )
            text = beside or " ".join(reversed([*self._above(line)]))
            if text and not key.endswith("_target_"):
                found[key] = text
        return found

    def _above(self, line: int) -> Iterator[str]:
        indent = len(self.lines[line]) - len(self.lines[line].lstrip())
        for above in reversed(self.lines[:line]):
            # The sentence and the command at the top belong to the file.
            if not above.startswith(f"{' ' * indent}#") or above in self.lines[: self._head]:
                return
            yield above.strip().lstrip("# ")

    @property
    def _head(self) -> int:
        return next((place for place, line in enumerate(self.lines) if not line.startswith("#")), len(self.lines))

    def _nodes(self) -> Iterator[tuple[str, yaml.Node]]:
        """Yields every key, dotted from the root of a config, with the node of its value."""
        is_global = "# @package _global_" in self.lines[: self._head]
        start = "" if is_global or not self.group else self.group.replace("/", ".")
        for name, node in self._entries():
            if name != "defaults":
                yield from _below(f"{start}.{name}" if start else name, node)

    def _entries(self) -> list[tuple[str, yaml.Node]]:
        root = yaml.compose("\n".join(self.lines), Loader=yaml.SafeLoader)
        return [(key.value, value) for key, value in root.value] if isinstance(root, yaml.MappingNode) else []


def _below(key: str, node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    yield key, node
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _below(f"{key}.{name.value}", value)
